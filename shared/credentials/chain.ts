/**
 * The rules of a chain of credentials: which links may follow each other, and whether they permit a message now. Pure.
 */
import { CLOCK_SKEW_S } from '../limits/credentials.ts';
import type { Channel } from '../request.ts';
import type { Code } from '../verdict.ts';
import { covers } from './credential-numbers.ts';
import type { CredentialRow } from './credential-table.ts';
import type { SenderToken } from './sender-token.ts';
import type { Status } from './status-list.ts';

/** The links of a chain, or why they are none. @param found the credentials by the digests of a token, owner first */
export function linksOf(
  found: readonly (CredentialRow | null)[],
): readonly CredentialRow[] | 'CERTIFICATE_INVALID' | 'DELEGATION_MISSING' {
  const links: CredentialRow[] = [];
  for (const row of found) {
    const previous = links.at(-1);
    if (previous === undefined) {
      if (row?.kind !== 'certificate') return 'CERTIFICATE_INVALID';
    } else if (row === null || row.principal !== previous.digest || isIn(links, row.organisation)) {
      return 'DELEGATION_MISSING';
    }
    links.push(row);
  }
  return links.length === 0 ? 'CERTIFICATE_INVALID' : links;
}

/** An organisation appears in a chain only once. */
function isIn(links: readonly CredentialRow[], organisation: string): boolean {
  return links.some((link) => link.organisation === organisation);
}

/** The status of a credential now: `stale` if its list is too old, null if there is no list with its index. */
export type StatusReader = (link: CredentialRow) => Status | 'stale' | null;

/** A message that a token is presented for. */
export interface TokenUse {
  /** Now, in seconds since 1970. */
  readonly nowS: number;
  /** The sender's number, as an E.164 integer; null if the sender is no number. */
  readonly number: number | null;
  readonly channel: Channel;
  /** What the token may name in `aud`: the organisation of the client, and the client. */
  readonly audiences: readonly string[];
  readonly statusOf: StatusReader;
  /** The sender code of an organisation; null if it has none. */
  readonly senderCodeOf: (organisation: string) => string | null;
}

/** Whether the token permits the message. */
export type TokenResult =
  | { readonly kind: 'permits'; readonly isRateReduced: boolean }
  /** The code of the first rule that it breaks. */
  | { readonly kind: 'refused'; readonly code: Code }
  /** The status of a link is not known, and nothing else is wrong. */
  | { readonly kind: 'unknown'; readonly code: 'LIST_STALE' | 'LIST_UNAVAILABLE' };

/** @param links of the token's chain, owner first, each resting on the previous one */
export function checkToken(token: SenderToken, links: readonly CredentialRow[], use: TokenUse): TokenResult {
  const { nowS, number } = use;
  if (!use.audiences.includes(token.audience)) return refused('TOKEN_AUDIENCE');
  if (nowS >= token.until) return refused('TOKEN_EXPIRED');
  if (nowS < token.from) return refused('TOKEN_INVALID');
  if (!namesSender(token, links, use)) return refused('TOKEN_INVALID');
  if (number === null || number !== token.number) return refused('CERTIFICATE_MISMATCH');
  let isRateReduced = false;
  let unknown: TokenResult | null = null;
  for (const link of links) {
    const broken = brokenDate(link, nowS) ?? brokenRange(link, number, use.channel);
    if (broken !== null) return refused(broken);
    const status = use.statusOf(link);
    if (status === 'revoked' || status === 'suspended') return refused(codeOf(link, status));
    if (status === 'rateReduced') isRateReduced = true;
    if (status === null || status === 'stale')
      unknown ??= { kind: 'unknown', code: status === null ? 'LIST_UNAVAILABLE' : 'LIST_STALE' };
  }
  return unknown ?? { kind: 'permits', isRateReduced };
}

function refused(code: Code): TokenResult {
  return { kind: 'refused', code };
}

/** `osc` is the code of an organisation of the chain. It may be absent only if none of them has a code. */
function namesSender(
  { senderCode }: SenderToken,
  links: readonly CredentialRow[],
  { senderCodeOf }: TokenUse,
): boolean {
  const codes = links.map(({ organisation }) => senderCodeOf(organisation)).filter((code) => code !== null);
  return senderCode === null ? codes.length === 0 : codes.includes(senderCode);
}

function brokenDate({ kind, nbf, exp }: CredentialRow, nowS: number): Code | null {
  const isCertificate = kind === 'certificate';
  if (nowS < nbf - CLOCK_SKEW_S) return isCertificate ? 'CERTIFICATE_NOT_YET_VALID' : 'DELEGATION_MISSING';
  if (nowS >= exp + CLOCK_SKEW_S) return isCertificate ? 'CERTIFICATE_EXPIRED' : 'DELEGATION_EXPIRED';
  return null;
}

function brokenRange({ kind, spans, scope }: CredentialRow, number: number, channel: Channel): Code | null {
  if (!covers(spans, number)) return 'CERTIFICATE_MISMATCH';
  return kind === 'delegation' && !scope.includes(channel) ? 'DELEGATION_MISSING' : null;
}

function codeOf({ kind }: CredentialRow, status: 'revoked' | 'suspended'): Code {
  if (kind === 'certificate') return status === 'revoked' ? 'CERTIFICATE_REVOKED' : 'CERTIFICATE_SUSPENDED';
  return status === 'revoked' ? 'DELEGATION_REVOKED' : 'DELEGATION_SUSPENDED';
}
