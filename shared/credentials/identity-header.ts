/**
 * The value of a SIP `Identity` header (RFC 8224, section 4): a PASSporT, and parameters that repeat its header.
 */
import { type Failure, fail, ok, type Result } from '../result.ts';

/** A PASSporT with its parameters. A parameter that is absent is null. A PASSporT alone has no parameters. */
export interface IdentityValue {
  readonly jws: string;
  readonly info: string | null;
  readonly alg: string | null;
  readonly ppt: string | null;
}

const NAMES = ['info', 'alg', 'ppt'] as const;

/** @param text a PASSporT as compact JWS, or `<jws>;info=<https://…>;alg=ES256;ppt=shaken` */
export function parseIdentityValue(text: string): Result<IdentityValue, Failure<'TOKEN_INVALID'>> {
  const [jws = '', ...written] = text.split(';').map((part) => part.trim());
  const value = { jws, info: null, alg: null, ppt: null } as {
    -readonly [Name in keyof IdentityValue]: IdentityValue[Name];
  };
  for (const parameter of written) {
    const [, name, content] = /^([\w-]+)\s*=\s*(.*)$/.exec(parameter) ?? [];
    const known = NAMES.find((each) => each === name?.toLowerCase());
    // Other parameters are extensions, and can be ignored.
    if (known === undefined || content === undefined) continue;
    if (value[known] !== null) return fail('TOKEN_INVALID', `has the parameter "${known}" twice`);
    value[known] = content.replace(known === 'info' ? /^<(.*)>$/ : /^"(.*)"$/, '$1');
  }
  return ok(value);
}
