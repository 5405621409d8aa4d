/**
 * Verifies message tokens, one turn per call. A turn has tokens of one kind. The caller measures the processor time of each
 * turn. The key is imported once, as at the edge.
 */

import { fromBase64Url } from '../../shared/bytes.ts';
import type { KeyAlgorithm } from '../../shared/credentials/keys.ts';
import { isTokenSignedBy, parseSenderToken } from '../../shared/credentials/sender-token.ts';
import { serve } from './serve.ts';

interface TokenTurn {
  readonly alg: KeyAlgorithm;
  /** Raw public key, in base64url. */
  readonly key: string;
  readonly tokens: readonly string[];
}

async function verifyAll({ alg, key, tokens }: TokenTurn): Promise<number> {
  const imported = { alg, bytes: fromBase64Url(key)! };
  let good = 0;
  for (const token of tokens) {
    const written = parseSenderToken(token);
    if (written.ok && (await isTokenSignedBy(written.value, imported))) good++;
  }
  return good;
}

export default serve({
  '/verify': (_query, body) => verifyAll(JSON.parse(new TextDecoder().decode(body)) as TokenTurn),
});
