/**
 * Repairs values of the current release that the local KV has lost or holds damaged. They are uploaded again
 * from the build folder if it is still complete. The service starts in either case.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '../../shared/bytes.ts';
import { type Blob, blobsOf, type Manifest } from '../../shared/release/manifest.ts';
import type { Admin } from '../admin.ts';
import { push } from '../commands/push.ts';
import { CommandFailure, orNull } from '../failure.ts';
import { fileName } from '../import/collect.ts';
import { BUILDS, STATE } from '../paths.ts';
import { BuildFolder } from '../publish/build-folder.ts';
import { kvOf } from '../publish/wrangler.ts';
import { count } from '../terminal/figures.ts';

/**
 * @param report receives messages for the admin
 * @returns whether every value of the release is in the local KV now
 */
export async function repairValues(
  admin: Admin,
  manifest: Manifest,
  reason: string,
  report: (text: string) => void,
): Promise<boolean> {
  const blobs = blobsOf(manifest);
  const lost = await lostAmong(blobs, admin);
  if (lost === 0) return true;
  const { release } = manifest;
  report(
    `the local KV has lost ${count(lost)} of ${count(blobs.length)} values of ${release}, or holds them damaged`,
  );
  const path = join(BUILDS, release);
  try {
    if (!existsSync(path)) throw new CommandFailure(`${fileName(path)} does not exist`);
    report(`uploading them again from ${fileName(path)} …`);
    const ports = { kv: kvOf({ remote: false, env: '' }), admin };
    await push(new BuildFolder(path), ports, { unproven: true, all: true, reason });
    return true;
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    report(`${error.message}\n${adviceOn(path)}`);
    return false;
  }
}

/** How many values the service cannot load from KV with the digest in the manifest. */
async function lostAmong(blobs: readonly Blob[], admin: Admin): Promise<number> {
  let lost = 0;
  for (const { key, sha256 } of blobs) {
    const bytes = await orNull(admin.bytes(`values/${key}`));
    if (bytes === null || (await sha256Hex(bytes)) !== sha256) lost++;
  }
  return lost;
}

function adviceOn(path: string): string {
  return [
    'The service starts without them: /healthz is "degraded", and numbers in these values are indeterminate.',
    'To repair the service, restore that folder as it was built, and run:',
    `  npx numgate push ${fileName(path)} --all`,
    'Without that folder, build the same lists again and push them with --all.',
    `Only if you need nothing in this installation, delete ${STATE} and start again: that destroys its`,
    'clients, keys, tokens, live entries and audit log.',
  ].join('\n');
}
