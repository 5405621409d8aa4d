/**
 * Reads the changes back from the head and its segments, after the registry has lost its tables or was set back. The
 * head is sealed, and a segment counts only if it matches the SHA-256 in the head. If a segment is lost, no existing
 * release is complete, so all changes are dropped. Then readers treat registrations as unavailable until the next
 * release, and never use an older state.
 */
import { fromBase64, sha256Hex } from '../../shared/bytes.ts';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import { VALUE_BYTES_MAX } from '../../shared/limits/lists.ts';
import { REGISTRY_RESTORED_GAP } from '../../shared/limits/registrations.ts';
import type { HeadRegistrations, NamedValue } from '../../shared/release/head.ts';
import { RegistrationSegment } from '../../shared/senders/registration-segment.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import { LayoutError } from '../../shared/set/number-set.ts';
import { unseal } from '../../shared/set/seal.ts';
import { warn } from '../log.ts';
import { readFresh } from '../storage/kv-values.ts';
import { within } from '../storage/single-flight.ts';
import type { ChangeTable } from './change-table.ts';

/** @throws if KV does not respond in time; the next call tries again */
export async function restoreChanges(
  head: HeadRegistrations,
  table: ChangeTable,
  keys: KeyRing,
  kv: KVNamespace,
): Promise<void> {
  const before = table.get('version');
  const version = head.version + REGISTRY_RESTORED_GAP;
  const segments: (RegistrationSegment | null)[] = [opened(fromBase64(head.unsealed))];
  for (const named of head.segments) segments.push(await segmentOf(named, keys, kv));
  const found = segments.filter((segment) => segment !== null);
  const isWhole = found.length === segments.length;
  const rows = isWhole ? found.flatMap((segment) => [...segment.rows]) : [];
  table.restore(rows, version, isWhole ? Math.max(head.droppedVersion, table.get('dropped')) : version);
  warn('registryRestored', { before, version, whole: isWhole });
}

async function segmentOf(
  { key, sha256 }: NamedValue,
  keys: KeyRing,
  kv: KVNamespace,
): Promise<RegistrationSegment | null> {
  const bytes = await within(readFresh(key, VALUE_BYTES_MAX, kv), LOAD_WAIT_MS);
  if (bytes === null || (await sha256Hex(bytes)) !== sha256) return null;
  const found = await keys.open((each) => unseal(bytes, each));
  return opened(found?.value ?? null);
}

function opened(bytes: Uint8Array<ArrayBuffer> | null): RegistrationSegment | null {
  try {
    return bytes === null ? null : new RegistrationSegment(bytes);
  } catch (error) {
    if (error instanceof LayoutError) return null;
    throw error;
  }
}
