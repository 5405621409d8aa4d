/**
 * Verifies message tokens, a turn of one kind in each call. The caller takes the processor time of each turn. Keys are
 * imported for each token, as the edge does.
 */

import { fromBase64Url } from '../../shared/bytes.ts';
import type { CredentialRow } from '../../shared/credentials/credential-table.ts';
import type { KeyAlgorithm } from '../../shared/credentials/keys.ts';
import { isTokenSignedBy, parseSenderToken } from '../../shared/credentials/sender-token.ts';
import { serve } from './serve.ts';

interface TokenTurn {
  readonly alg: KeyAlgorithm;
  /** Raw public key, base64url. */
  readonly key: string;
  readonly tokens: readonly string[];
}

async function verifyAll({ alg, key, tokens }: TokenTurn): Promise<number> {
  const row = { key: { alg, bytes: fromBase64Url(key)! } } as Pick<CredentialRow, 'key'>;
  let good = 0;
  for (const token of tokens) {
    const written = parseSenderToken(token);
    if (written.ok && (await isTokenSignedBy(written.value, row))) good++;
  }
  return good;
}

export default serve({
  '/verify': (_query, body) => verifyAll(JSON.parse(new TextDecoder().decode(body)) as TokenTurn),
});
