/**
 * The rules of a chain of credentials: which links may follow each other, and whether the chain permits a message. Pure.
 */
import { CLOCK_SKEW_S } from '../limits/credentials.ts';
import type { Channel } from '../request.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import { covers } from './credential-numbers.ts';
import type { CredentialRow } from './credential-table.ts';
import { EXPIRED, type SenderToken, type TokenProblem } from './sender-token.ts';
import type { Status } from './status-list.ts';

const NO_CERTIFICATE = fail(
  'CERTIFICATE_INVALID',
  'has a chain that does not begin with a certificate that this service knows',
);
const NO_DELEGATION = fail(
  'DELEGATION_MISSING',
  'has a chain with a link that is unknown, or that is not based on the previous link',
);

/** Returns the links if they form a chain, else a failure. @param found a token's credentials, by its digests, owner first */
export function linksOf(
  found: readonly (CredentialRow | null)[],
): Result<readonly CredentialRow[], Failure<'CERTIFICATE_INVALID' | 'DELEGATION_MISSING'>> {
  const links: CredentialRow[] = [];
  for (const row of found) {
    const previous = links.at(-1);
    if (previous === undefined) {
      if (row?.kind !== 'certificate') return NO_CERTIFICATE;
    } else if (row === null || row.principal !== previous.digest || isIn(links, row.organisation)) {
      return NO_DELEGATION;
    }
    links.push(row);
  }
  return links.length === 0 ? NO_CERTIFICATE : ok(links);
}

/** Whether an organisation is already in the chain. It may appear only once. */
function isIn(links: readonly CredentialRow[], organisation: string): boolean {
  return links.some((link) => link.organisation === organisation);
}

/** Returns the current status of a credential: `stale` if its list is too old, null if no list has its index. */
export type StatusReader = (link: CredentialRow) => Status | 'stale' | null;

/** The message that a token is presented for. */
export interface TokenUse {
  /** The current time, in seconds since 1970. */
  readonly nowS: number;
  /** The sender's number, as an E.164 integer; null if the sender is not a number. */
  readonly number: number | null;
  readonly channel: Channel;
  /** Accepted values of `aud`: the organisation of the client, and the client. */
  readonly audiences: readonly string[];
  readonly statusOf: StatusReader;
  /** Returns the sender code of an organisation, or null if it has none. */
  readonly senderCodeOf: (organisation: string) => string | null;
}

/** Whether the token permits the message. */
export type TokenResult =
  | { readonly kind: 'permits'; readonly isRateReduced: boolean }
  /** The token breaks a rule; this is the first one. */
  | ({ readonly kind: 'refused' } & TokenProblem)
  /** The status of a link is unknown, and nothing else is wrong. */
  | { readonly kind: 'unknown'; readonly code: 'LIST_STALE' | 'LIST_UNAVAILABLE' };

/** Checks whether a token permits a message. @param links the token's chain, from `linksOf` */
export function checkToken(token: SenderToken, links: readonly CredentialRow[], use: TokenUse): TokenResult {
  const { nowS, number } = use;
  if (!use.audiences.includes(token.audience))
    return refused('TOKEN_AUDIENCE', 'is for another organisation or client in "aud"');
  if (nowS >= token.until) return refused(EXPIRED.code, EXPIRED.message);
  if (nowS < token.from) return refused('TOKEN_INVALID', 'is not valid yet: check the clock that signs it');
  const wrongCode = wrongSenderCode(token, links, use);
  if (wrongCode !== null) return refused('TOKEN_INVALID', wrongCode);
  if (number === null || number !== token.number)
    return refused('CERTIFICATE_MISMATCH', 'is for another number than "from"');
  let isRateReduced = false;
  let unknown: TokenResult | null = null;
  for (const link of links) {
    const broken = brokenDate(link, nowS) ?? brokenRange(link, number, use.channel);
    if (broken !== null) return { kind: 'refused', ...broken };
    const status = use.statusOf(link);
    if (status === 'revoked' || status === 'suspended')
      return refused(codeOf(link, status), `has a chain with a ${link.kind} that is ${status}`);
    if (status === 'rateReduced') isRateReduced = true;
    if (status === null || status === 'stale')
      unknown ??= { kind: 'unknown', code: status === null ? 'LIST_UNAVAILABLE' : 'LIST_STALE' };
  }
  return unknown ?? { kind: 'permits', isRateReduced };
}

function refused(code: TokenProblem['code'], detail: string): TokenResult {
  return { kind: 'refused', code, detail };
}

/** `osc` must be the code of an organisation in the chain. It may be absent only if none has a code. @returns null if valid */
function wrongSenderCode(
  { senderCode }: SenderToken,
  links: readonly CredentialRow[],
  { senderCodeOf }: TokenUse,
): string | null {
  const codes = links.map(({ organisation }) => senderCodeOf(organisation)).filter((code) => code !== null);
  if (senderCode === null)
    return codes.length === 0 ? null : 'must have "osc": an organisation in its chain has a sender code';
  return codes.includes(senderCode)
    ? null
    : 'has an "osc" that is not the sender code of an organisation in its chain';
}

function brokenDate({ kind, nbf, exp }: CredentialRow, nowS: number): TokenProblem | null {
  const isCertificate = kind === 'certificate';
  if (nowS < nbf - CLOCK_SKEW_S) {
    const code = isCertificate ? 'CERTIFICATE_NOT_YET_VALID' : 'DELEGATION_MISSING';
    return { code, detail: `has a chain with a ${kind} that is not valid yet` };
  }
  if (nowS >= exp + CLOCK_SKEW_S) {
    const code = isCertificate ? 'CERTIFICATE_EXPIRED' : 'DELEGATION_EXPIRED';
    return { code, detail: `has a chain with a ${kind} that has expired` };
  }
  return null;
}

function brokenRange(
  { kind, spans, scope }: CredentialRow,
  number: number,
  channel: Channel,
): TokenProblem | null {
  if (!covers(spans, number))
    return {
      code: 'CERTIFICATE_MISMATCH',
      detail: `has a chain with a ${kind} that does not cover the number`,
    };
  if (kind === 'certificate' || scope.includes(channel)) return null;
  return { code: 'DELEGATION_MISSING', detail: 'has a chain with a delegation for another channel' };
}

function codeOf({ kind }: CredentialRow, status: 'revoked' | 'suspended'): TokenProblem['code'] {
  if (kind === 'certificate') return status === 'revoked' ? 'CERTIFICATE_REVOKED' : 'CERTIFICATE_SUSPENDED';
  return status === 'revoked' ? 'DELEGATION_REVOKED' : 'DELEGATION_SUSPENDED';
}
