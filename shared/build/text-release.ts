/**
 * Builds a text release: from a model and host lists to a manifest and sealed KV values.
 * Deterministic: the same content, key and times give the same bytes.
 */
import { sha256Hex, utf8 } from '../bytes.ts';
import { HOST_LISTS_MAX, HOST_TABLE_BYTES_MAX, HOSTS_MAX } from '../limits/text.ts';
import type { NamedValue } from '../release/head.ts';
import { textKey } from '../release/kv-keys.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import type { ListKeys } from '../set/keys.ts';
import { seal } from '../set/seal.ts';
import { encodeHosts } from '../text/host-table.ts';
import type { HostListInfo, ModelFacts, TextManifest } from '../text/text-manifest.ts';

/** A host list to build: its manifest fields without the count, and its hosts in canonical form, each once. */
export interface HostListSource {
  readonly info: Omit<HostListInfo, 'hosts'>;
  readonly hosts: readonly string[];
}

export interface TextReleaseParts {
  readonly model: { readonly facts: ModelFacts; readonly bytes: Uint8Array<ArrayBuffer> } | null;
  /** The first of equally strong lists decides about a host. */
  readonly hostLists: readonly HostListSource[];
  readonly canaryTexts: TextManifest['canaryTexts'];
}

export interface BuiltTextRelease {
  readonly manifest: TextManifest;
  /** Sealed KV values by key. */
  readonly values: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** A model and host lists exceed a limit of shared/limits/text.ts, or there is neither. */
export type TextBuildProblem = 'LIMIT_EXCEEDED' | 'RELEASE_EMPTY';

export async function buildTextRelease(
  { model, hostLists, canaryTexts }: TextReleaseParts,
  keys: ListKeys,
  { base, createdAt }: { readonly base: string | null; readonly createdAt: Date },
): Promise<Result<BuiltTextRelease, Failure<TextBuildProblem>>> {
  if (model === null && hostLists.length === 0)
    return fail('RELEASE_EMPTY', 'a text release needs a model or a host list');
  const count = hostLists.reduce((sum, { hosts }) => sum + hosts.length, 0);
  if (hostLists.length > HOST_LISTS_MAX)
    return fail('LIMIT_EXCEEDED', `${hostLists.length} host lists; a text release has at most ${HOST_LISTS_MAX}`);
  if (count > HOSTS_MAX)
    return fail('LIMIT_EXCEEDED', `${count} hosts in all lists; a text release has at most ${HOSTS_MAX}`);
  const values = new Map<string, Uint8Array<ArrayBuffer>>();
  const store = async (content: Uint8Array<ArrayBuffer>): Promise<NamedValue> => {
    const bytes = await seal(content, keys);
    const sha256 = await sha256Hex(bytes);
    const key = textKey(sha256);
    values.set(key, bytes);
    return { key, sha256 };
  };
  const rows = hostLists.flatMap(({ hosts }, list) => hosts.map((host) => ({ host, list })));
  const table = hostLists.length === 0 ? null : encodeHosts(rows);
  if (table !== null && table.length > HOST_TABLE_BYTES_MAX)
    return fail(
      'LIMIT_EXCEEDED',
      `the hosts take ${table.length} bytes; a text release has at most ${HOST_TABLE_BYTES_MAX}`,
    );
  const body = {
    kind: 'numgate-text' as const,
    format: 1 as const,
    base,
    createdAt: createdAt.toISOString(),
    model: model === null ? null : { ...model.facts, value: await store(model.bytes) },
    hosts:
      table === null
        ? null
        : {
            value: await store(table),
            count,
            lists: hostLists.map(({ info, hosts }) => ({ ...info, hosts: hosts.length })),
          },
    canaryTexts,
  };
  return ok({ manifest: { ...body, release: await nameOf(body, createdAt) }, values });
}

/** The minute and a digest of everything else, as releases of lists have them. */
async function nameOf(body: object, createdAt: Date): Promise<string> {
  const minute = createdAt.toISOString().slice(0, 16).replaceAll(/[-:]/g, '');
  return `text-${minute}Z-${(await sha256Hex(utf8(JSON.stringify(body)))).slice(0, 8)}`;
}
