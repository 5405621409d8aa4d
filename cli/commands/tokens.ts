/**
 * `numgate tokens`: who may change lists. Only the token `root` may manage tokens. A token is created here
 * and shown once. The service stores only its digest.
 */
import { type Token, tokenSchema } from '../../shared/admin.ts';
import type { Admin } from '../admin.ts';
import { AdminProblem } from '../admin-problem.ts';
import { checked } from '../checked.ts';
import { CommandFailure } from '../failure.ts';
import { newKey } from '../secrets.ts';

export interface NewToken {
  readonly id: string;
  readonly token: string;
}

/** A token, and its version for `If-Match`. */
export type ListedToken = Token & { readonly version: string };

export async function listTokens(admin: Admin): Promise<ListedToken[]> {
  return (await admin.get<{ tokens: ListedToken[] }>('tokens')).tokens;
}

/** @param scopes of SCOPES @param authority for which the holder acts */
export async function addToken(
  admin: Admin,
  id: string,
  scopes: readonly string[],
  authority: string,
  reason: string,
): Promise<NewToken> {
  const { key, secretSha256 } = await newKey(id);
  const given = { id, secretSha256: [secretSha256], scopes, authority };
  const token = checked(given, { schema: tokenSchema, whole: 'the token' });
  await putToken(admin, token, reason, { 'if-none-match': '*' }).catch((error: unknown) => {
    if (!(error instanceof AdminProblem) || error.code !== 'PRECONDITION_FAILED') throw error;
    throw new CommandFailure(`there is a token ${id} already: tokens rotate gives it another secret`, 4);
  });
  return { id, token: key };
}

function putToken(
  admin: Admin,
  token: Token,
  reason: string,
  conditions: Readonly<Record<string, string>>,
): Promise<unknown> {
  return admin.change('PUT', pathOf(token.id), { token, reason }, conditions);
}

function pathOf(id: string): string {
  return `tokens/${encodeURIComponent(id)}`;
}

/** Gives a token a second secret beside its present one. If it has two, the older one is dropped. */
export async function rotateToken(admin: Admin, id: string, reason: string): Promise<NewToken> {
  const known = (await listTokens(admin)).find((token) => token.id === id);
  if (known === undefined) throw new CommandFailure(`there is no token ${id}: see npx numgate tokens list`);
  const { version, ...token } = known;
  const { key, secretSha256 } = await newKey(id);
  const rotated = { ...token, secretSha256: [...token.secretSha256.slice(-1), secretSha256] };
  await putToken(admin, rotated, reason, { 'if-match': `"${version}"` });
  return { id, token: key };
}

export async function removeToken(admin: Admin, id: string, reason: string): Promise<void> {
  await admin.change('DELETE', pathOf(id), { reason });
}
