/** Verifies the signature of a PASSporT. identity.ts checks everything that depends on the time or the parties. */
import type { PassportVerification } from './identity.ts';
import { parseIdentityValue } from './identity-header.ts';
import { isSignedBy } from './jws.ts';
import { digestOf } from './keys.ts';
import { parsePassport } from './passport.ts';
import type { PassportTable } from './passport-table.ts';

/** @param text one value of `identity` */
export async function verifyPassport(text: string, table: PassportTable): Promise<PassportVerification> {
  const value = parseIdentityValue(text);
  const written = value.ok ? parsePassport(value.value) : value;
  if (!written.ok) return { kind: 'refused', detail: written.message };
  if (written.value === null) return { kind: 'ignored' };
  const { jws, passport } = written.value;
  const x5u = await digestOf(passport.x5u);
  const row = table.get(x5u);
  if (row === undefined) return { kind: 'unknownSigner', passport, x5u };
  if (!(await isSignedBy(jws, row.key))) {
    return { kind: 'refused', detail: 'is not signed with the key of its certificate', x5u };
  }
  return { kind: 'verified', passport, row };
}
