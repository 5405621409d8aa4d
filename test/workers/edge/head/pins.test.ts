/**
 * Shards that a request waits for are pinned, and released even if its client is gone. The runtime ends a
 * cancelled request as soon as `waitUntil` holds nothing of it, and then runs none of its `finally` blocks.
 */
import { expect, test } from 'vitest';
import { Release } from '../../../../shared/release/release.ts';
import { ShardMemory } from '../../../../shared/release/shard-memory.ts';
import { type ShardLoadContext, withValues } from '../../../../workers/edge/head/shards.ts';
import { testKeys } from '../../../shared/support/test-keys.ts';
import { coldIsolate } from '../../support/isolate.ts';
import { Gate } from '../../support/kv.ts';
import { build, largeLists } from '../../support/world.ts';

coldIsolate();

const { manifest, values } = await build(largeLists());
const blob = manifest.shards[0]!;

/** A request, with the promises that keep it alive. */
function requestOf(gate: Gate) {
  const kept: Promise<unknown>[] = [];
  const stored = (key: string): ArrayBuffer => Uint8Array.from(values.get(key)!).buffer;
  const get = async (key: string) => new Response(await gate.hold(async () => stored(key))).body;
  const loading = {
    env: { LISTS: { get } },
    ctx: { waitUntil: (work: Promise<unknown>) => void kept.push(work) },
  };
  return { loading: loading as unknown as ShardLoadContext, kept };
}

test('a request that waits for the load of another one stays alive until it has released its pins', async () => {
  const memory = new ShardMemory(blob.bytes);
  const release = new Release(manifest, testKeys, memory);
  const pins = (): number => memory.slot(blob.key, blob.bytes).pins;
  const gate = new Gate();
  const [loads, joins] = [requestOf(gate), requestOf(gate)];
  const answers = [loads, joins].map(({ loading }) =>
    withValues(release, [blob], loading, () => release.has(blob)),
  );
  expect(pins()).toBe(2);
  gate.open();
  await Promise.all(joins.kept);
  expect(joins.kept).toHaveLength(1);
  expect(await Promise.all(answers)).toEqual([true, true]);
  expect(pins()).toBe(0);
});

test('a request releases its pins even when its response fails', async () => {
  const memory = new ShardMemory(blob.bytes);
  const release = new Release(manifest, testKeys, memory);
  const gate = new Gate();
  gate.open();
  const { loading, kept } = requestOf(gate);
  const fails = (): never => {
    throw new Error('a bug');
  };
  await expect(withValues(release, [blob], loading, fails)).rejects.toThrow('a bug');
  await Promise.all(kept);
  expect(memory.slot(blob.key, blob.bytes).pins).toBe(0);
});
