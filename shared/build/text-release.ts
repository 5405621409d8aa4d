/**
 * Builds a text release: turns a model and host lists into a manifest and sealed KV values.
 * Deterministic: the same content, key and times give the same bytes.
 */
import { sha256Hex } from '../bytes.ts';
import { HOST_LISTS_MAX, HOST_TABLE_BYTES_MAX, HOSTS_MAX } from '../limits/text.ts';
import type { NamedValue } from '../release/head.ts';
import { textKey } from '../release/kv-keys.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import type { ListKeys } from '../set/keys.ts';
import { seal } from '../set/seal.ts';
import { encodeHosts } from '../text/host-table.ts';
import type { HostListInfo, ModelFacts, TextManifest } from '../text/text-manifest.ts';

/** A host list to build: its manifest fields without the count, and its distinct hosts in canonical form. */
export interface HostListSource {
  readonly info: Omit<HostListInfo, 'hosts'>;
  readonly hosts: readonly string[];
}

/** Host lists with their encoded table. It may come from another release. */
export interface EncodedHosts {
  readonly lists: readonly HostListInfo[];
  /** The result of encodeHosts. */
  readonly table: Uint8Array<ArrayBuffer>;
}

export interface TextReleaseParts {
  readonly model: { readonly facts: ModelFacts; readonly bytes: Uint8Array<ArrayBuffer> } | null;
  /** Null for a release without host lists. */
  readonly hosts: EncodedHosts | null;
  readonly canaryTexts: TextManifest['canaryTexts'];
}

export interface BuiltTextRelease {
  readonly manifest: TextManifest;
  /** Sealed KV values by key. */
  readonly values: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** RELEASE_EMPTY: there is neither a model nor a host list. */
export type TextBuildProblem = 'RELEASE_EMPTY';

/** @param sources if lists of equal strength have the same host, the first of them decides */
export function encodeHostLists(
  sources: readonly HostListSource[],
): Result<EncodedHosts | null, Failure<'LIMIT_EXCEEDED'>> {
  if (sources.length === 0) return ok(null);
  const count = sources.reduce((sum, { hosts }) => sum + hosts.length, 0);
  if (sources.length > HOST_LISTS_MAX)
    return fail(
      'LIMIT_EXCEEDED',
      `${sources.length} host lists; a text release has at most ${HOST_LISTS_MAX}`,
    );
  if (count > HOSTS_MAX)
    return fail('LIMIT_EXCEEDED', `${count} hosts in all lists; a text release has at most ${HOSTS_MAX}`);
  const table = encodeHosts(sources.flatMap(({ hosts }, list) => hosts.map((host) => ({ host, list }))));
  if (table.length > HOST_TABLE_BYTES_MAX)
    return fail(
      'LIMIT_EXCEEDED',
      `the hosts take ${table.length} bytes; a text release has at most ${HOST_TABLE_BYTES_MAX}`,
    );
  return ok({ lists: sources.map(({ info, hosts }) => ({ ...info, hosts: hosts.length })), table });
}

export async function buildTextRelease(
  { model, hosts, canaryTexts }: TextReleaseParts,
  keys: ListKeys,
  { base, createdAt }: { readonly base: string | null; readonly createdAt: Date },
): Promise<Result<BuiltTextRelease, Failure<TextBuildProblem>>> {
  if (model === null && hosts === null)
    return fail('RELEASE_EMPTY', 'a text release needs a model or a host list');
  const values = new Map<string, Uint8Array<ArrayBuffer>>();
  const store = async (content: Uint8Array<ArrayBuffer>): Promise<NamedValue> => {
    const bytes = await seal(content, keys);
    const sha256 = await sha256Hex(bytes);
    const key = textKey(sha256);
    values.set(key, bytes);
    return { key, sha256 };
  };
  const body = {
    kind: 'numgate-text' as const,
    format: 1 as const,
    base,
    createdAt: createdAt.toISOString(),
    model: model === null ? null : { ...model.facts, value: await store(model.bytes) },
    hosts:
      hosts === null
        ? null
        : { value: await store(hosts.table), count: rowsOf(hosts), lists: [...hosts.lists] },
    canaryTexts,
  };
  return ok({ manifest: { ...body, release: await nameOf(body, createdAt) }, values });
}

function rowsOf({ lists }: EncodedHosts): number {
  return lists.reduce((sum, { hosts }) => sum + hosts, 0);
}

/** Names a text release by its minute and a digest of its content, as releases of lists are named. */
async function nameOf(body: object, createdAt: Date): Promise<string> {
  const minute = createdAt.toISOString().slice(0, 16).replaceAll(/[-:]/g, '');
  return `text-${minute}Z-${(await sha256Hex(JSON.stringify(body))).slice(0, 8)}`;
}
