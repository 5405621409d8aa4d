/** Alters a shard of a build, and signs a matching manifest, like an attacker who has the signing key. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildFolder } from '../../../cli/publish/build-folder.ts';
import { sha256Hex } from '../../../shared/bytes.ts';
import { shardKey } from '../../../shared/release/kv-keys.ts';
import { type Manifest, signManifest } from '../../../shared/release/manifest.ts';
import { checksum } from '../../../shared/set/xxhash.ts';
import { SIGNING_KEY } from './workspace.ts';

/** Flips a bit in the middle of the first shard, where its numbers are, and signs the result. */
export async function tamper(folder: BuildFolder): Promise<void> {
  // The bytes that the signer wrote. This test does not check their schema.
  const manifest = JSON.parse(folder.manifest.signed) as Manifest;
  const [shard, ...others] = manifest.shards;
  const bytes = folder.value(shard!.key);
  bytes[bytes.length >> 1]! ^= 1;
  const sha256 = await sha256Hex(bytes);
  const key = shardKey(sha256);
  writeFileSync(join(folder.path, 'values', `${key.replace('/', '-')}.bin`), bytes);
  const shards = [{ ...shard!, key, sha256, checksum: checksum(bytes) }, ...others];
  const signed = await signManifest({ ...manifest, shards }, SIGNING_KEY);
  writeFileSync(join(folder.path, 'manifest.json'), JSON.stringify(signed));
}
