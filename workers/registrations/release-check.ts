/**
 * After a release has become current, looks for registered numbers that the release lists as terminated, some at a time.
 * A repeated call continues where the last one stopped.
 */

import { VALUE_BYTES_MAX } from '../../shared/limits/lists.ts';
import { CHECKED_NUMBERS_AT_ONCE, CHECKED_STEPS_AT_ONCE } from '../../shared/limits/registrations.ts';
import { releaseKey } from '../../shared/release/kv-keys.ts';
import { openManifest } from '../../shared/release/manifest.ts';
import { parseSignedText } from '../../shared/release/signed.ts';
import { type ControlEnv, openSecrets } from '../env.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import { readImmutable } from '../storage/kv-values.ts';
import { ListedNumbers } from './listed-numbers.ts';
import type { Meta } from './meta.ts';
import type { PairsInForce } from './pairs-in-force.ts';

export class ReleaseCheck {
  readonly #meta: Meta;
  readonly #pairs: PairsInForce;
  #isRunning = false;

  constructor(meta: Meta, pairs: PairsInForce) {
    this.#meta = meta;
    this.#pairs = pairs;
  }

  /**
   * @param release the current release @param onListed gets registered numbers that the release lists as terminated
   * @returns whether all registered numbers were checked
   */
  async run(
    release: string,
    env: ControlEnv,
    onListed: (numbers: readonly number[]) => Promise<void>,
  ): Promise<boolean> {
    if (this.#isRunning) return false;
    this.#isRunning = true;
    try {
      return await this.#run(release, env, onListed);
    } finally {
      this.#isRunning = false;
    }
  }

  async #run(
    release: string,
    env: ControlEnv,
    onListed: (numbers: readonly number[]) => Promise<void>,
  ): Promise<boolean> {
    const [checked = '', cursor = ''] = this.#meta.text('checkedRelease')?.split(' ') ?? [];
    const isStarted = checked === release;
    if (isStarted && cursor === DONE) return true;
    let after = isStarted ? Number(cursor) : 0;
    if (!isStarted && this.#pairs.numbers(after, 1).last === null) return true;
    const listed = await listedNumbers(release, env);
    for (let step = 0; listed !== null && step < CHECKED_STEPS_AT_ONCE; step++) {
      const { numbers, last } = this.#pairs.numbers(after, CHECKED_NUMBERS_AT_ONCE);
      const found = await listed.find(numbers, Math.floor(Date.now() / 1000));
      if (found === null) return false;
      if (found.size > 0) await onListed([...found]);
      if (last === null) {
        this.#meta.set('checkedRelease', `${release} ${DONE}`);
        return true;
      }
      after = last;
      this.#meta.set('checkedRelease', `${release} ${after}`);
    }
    return false;
  }
}

const DONE = 'done';

/** The terminated numbers of a release. Null if its manifest cannot be read, or no trusted key signed it. */
export async function listedNumbers(release: string, env: ControlEnv): Promise<ListedNumbers | null> {
  const secrets = await openSecrets(env);
  if (!secrets.ok) return null;
  const { keys, publicKeys } = secrets.value;
  const key = releaseKey(release);
  const bytes =
    (await readImmutable(key, VALUE_BYTES_MAX, env.LISTS).catch(() => null)) ??
    (await env.COORDINATOR.getByName(COORDINATOR_NAME).value(key));
  const signed = bytes === null ? null : parseSignedText(new TextDecoder().decode(bytes));
  const opened = signed === null ? null : await openManifest(signed, publicKeys, keys.ids);
  if (opened?.ok !== true) return null;
  return new ListedNumbers(opened.value, 'NUMBER_TERMINATED', keys.of(opened.value.keyId)!, env.LISTS);
}
