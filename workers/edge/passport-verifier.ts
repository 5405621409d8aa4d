/**
 * Verifies the PASSporTs of calls and texts, and caches the results. A gateway sends the same PASSporT with each check of a
 * call, and each repetition costs one look-up. Screening checks what depends on the time or the parties for every request.
 *
 * A result is reused only while the table has the same row for its certificate.
 */
import type { PassportVerification } from '../../shared/credentials/identity.ts';
import type { PassportRow, PassportTable } from '../../shared/credentials/passport-table.ts';
import { verifyPassport } from '../../shared/credentials/verify-passport.ts';
import { REFUSED_TOKENS_BYTES_MAX, TOKEN_OVERHEAD_BYTES } from '../../shared/limits/credentials.ts';
import {
  PASSPORTS_BYTES_MAX,
  UNKNOWN_SIGNERS_LOG_MS,
  UNKNOWN_SIGNERS_MAX,
} from '../../shared/limits/passport.ts';
import { warn } from '../log.ts';
import { ByteLru } from './byte-lru.ts';

interface Known {
  readonly verification: PassportVerification;
  /** Undefined without a known certificate. A row, because results with tables would keep those of many heads in memory. */
  readonly row: PassportRow | undefined;
}

export class PassportVerifier {
  readonly #verified = new ByteLru<Known>(PASSPORTS_BYTES_MAX, bytesOf);
  /** Kept apart, so that invalid PASSporTs evict no verified ones. */
  readonly #refused = new ByteLru<Known>(REFUSED_TOKENS_BYTES_MAX, bytesOf);
  /** PASSporTs with an unknown certificate since the last log line, by the SHA-256 of the certificate's URL. */
  readonly #unknownSigners = new Map<string, number>();
  #loggedAt = 0;
  /** Signatures verified so far, for tests. */
  verifications = 0;

  /**
   * Verifies these values of `identity`, each once.
   * @param charge charges a verification; returns false if the quota allows none now
   * @returns the results by text, without the values that the quota did not allow to verify
   */
  async verify(
    texts: ReadonlySet<string>,
    table: PassportTable,
    charge: () => boolean,
  ): Promise<ReadonlyMap<string, PassportVerification>> {
    const found = new Map<string, PassportVerification>();
    await Promise.all(
      [...texts].map(async (text) => {
        const known = this.#verified.get(text) ?? this.#refused.get(text);
        if (known !== undefined && known.row === rowOf(known.verification, table))
          found.set(text, known.verification);
        else if (charge()) found.set(text, await this.#find(text, table));
      }),
    );
    return found;
  }

  async #find(text: string, table: PassportTable): Promise<PassportVerification> {
    this.verifications++;
    const verification = await verifyPassport(text, table);
    if (verification.kind === 'unknownSigner') this.#countUnknown(verification.x5u);
    this.#verified.delete(text);
    this.#refused.delete(text);
    const held = verification.kind === 'verified' ? this.#verified : this.#refused;
    held.set(text, { verification, row: rowOf(verification, table) });
    return verification;
  }

  /** Counts an unknown certificate. At most once a minute, logs the most frequent one, and how many PASSporTs named it. */
  #countUnknown(x5u: string): void {
    const counts = this.#unknownSigners;
    const known = counts.get(x5u);
    if (known !== undefined || counts.size < UNKNOWN_SIGNERS_MAX) counts.set(x5u, (known ?? 0) + 1);
    const now = Date.now();
    if (now - this.#loggedAt < UNKNOWN_SIGNERS_LOG_MS) return;
    const [[most, passports]] = [...counts].sort(([, a], [, b]) => b - a) as [[string, number]];
    warn('passportSignerUnknown', { x5u: most, passports, signers: counts.size });
    this.#loggedAt = now;
    counts.clear();
  }
}

/** The row of the certificate that a result depends on. */
function rowOf(verification: PassportVerification, table: PassportTable): PassportRow | undefined {
  const x5u = verification.kind === 'verified' ? verification.row.x5u : verification.x5u;
  return x5u === undefined ? undefined : table.get(x5u);
}

/** The text of a PASSporT takes one byte per character. */
function bytesOf(text: string): number {
  return text.length + TOKEN_OVERHEAD_BYTES;
}
