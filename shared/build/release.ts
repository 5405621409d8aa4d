/**
 * Builds a release: turns the content of its lists into a manifest and KV values.
 * Deterministic: the same content, key and times give the same bytes.
 */
import { sha256Hex } from '../bytes.ts';
import {
  LISTS_MAX,
  RANGES_PER_LIST_MAX,
  RELEASE_BYTES_MAX,
  SHARD_BYTES_MAX,
  SHARDS_MAX,
  SOURCES_PER_LIST_MAX,
} from '../limits/lists.ts';
import {
  REGISTERED_CLIENTS_MAX,
  REGISTERED_PAIRS_MAX,
  REGISTERED_RANGES_MAX,
} from '../limits/registrations.ts';
import { prefixOf, SUFFIX_COUNT, suffixOf } from '../numbers/number.ts';
import { shardKey } from '../release/kv-keys.ts';
import type { Blob, ListInfo, Manifest, RegisteredInfo } from '../release/manifest.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';
import type { ListKeys } from '../set/keys.ts';
import { FORMAT_VERSION, REGISTERED_LAYOUT, SLOTS_PER_CLIENT } from '../set/layout.ts';
import { countShort } from '../set/registered-table.ts';
import { seal } from '../set/seal.ts';
import { checksum } from '../set/xxhash.ts';
import { encodeDense } from './dense-section.ts';
import type { ListContent } from './list-entries.ts';
import { type EncodedShard, packSlices } from './pack.ts';
import { encodePairShards, encodeRegisteredTable, largestOrganisations, type PairContent } from './pairs.ts';
import { type EncodedPart, encodeDated } from './shard.ts';
import { cutSlices, type Slice } from './slices.ts';
import { lowerBound } from './sorted.ts';
import { encodeSparse } from './sparse-section.ts';
import { encodeRanges, encodeSources, flattenRanges, sortSources } from './tables.ts';

/** Pieces that ranges may be cut into before neighbours are joined again. */
const PIECES_MAX = 16 * RANGES_PER_LIST_MAX;

/** A list to build: its manifest fields without the counts, and its content. */
export interface ListSource {
  readonly info: Pick<
    ListInfo,
    'name' | 'reason' | 'effect' | 'subjects' | 'authority' | 'asOf' | 'rule' | 'stage'
  >;
  readonly content: ListContent;
}

export interface BuiltRelease {
  readonly manifest: Manifest;
  /** KV values by key. */
  readonly values: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

export interface BuildOptions {
  /** The release that this one will follow. */
  readonly base: string | null;
  readonly createdAt: Date;
  readonly foldedSeq: number;
  /**
   * The registered senders: as of a version of the registry, or copied from another release with the same key. If
   * absent, the release has no registered senders.
   */
  readonly registrations?:
    | { readonly version: number; readonly content: PairContent }
    | { readonly info: RegisteredInfo; readonly values: ReadonlyMap<string, Uint8Array<ArrayBuffer>> }
    | undefined;
  /** Called with the completed share, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/** LIMIT_EXCEEDED: a list or the registered senders exceed a limit of shared/limits. */
type BuildProblem = 'LIMIT_EXCEEDED';

export async function buildRelease(
  lists: readonly ListSource[],
  keys: ListKeys,
  options: BuildOptions,
): Promise<Result<BuiltRelease, Failure<BuildProblem>>> {
  const tooMany = excessOf(lists.length, LISTS_MAX, 'lists');
  if (tooMany !== null) return tooMany;
  const contents = lists.map(({ content }) => content);
  const ranges = contents.map((content) => flattenRanges(content.ranges, PIECES_MAX));
  const sources = contents.map((content) => sortSources(content.sources));
  for (const [index, { info }] of lists.entries()) {
    const excess =
      excessOf(ranges[index]!.length, RANGES_PER_LIST_MAX, 'ranges', info.name) ??
      excessOf(sources[index]!.length, SOURCES_PER_LIST_MAX, 'sources', info.name);
    if (excess !== null) return excess;
  }
  const values = new Map<string, Uint8Array<ArrayBuffer>>();
  const store = async (bytes: Uint8Array<ArrayBuffer>): Promise<Blob> => {
    const sha256 = await sha256Hex(bytes);
    const key = shardKey(sha256);
    values.set(key, bytes);
    return { key, bytes: bytes.length, checksum: checksum(bytes), sha256 };
  };
  const storeShards = async (encoded: readonly EncodedShard[]): Promise<Manifest['shards']> => {
    const stored: Manifest['shards'] = [];
    for (const { start, bytes } of encoded) stored.push({ ...(await store(bytes)), start });
    return stored;
  };
  const encoded = encodeShards(contents, options.onProgress);
  if (encoded === null) return fail('LIMIT_EXCEEDED', 'one number has more dated entries than a shard holds');
  const shards = await storeShards(encoded);
  const given = options.registrations;
  if (given !== undefined && 'info' in given) for (const [key, bytes] of given.values) values.set(key, bytes);
  const registered = await buildRegistered(given, keys, store, storeShards);
  if (!registered.ok) return registered;
  const hasRanges = ranges.some((list) => list.length > 0);
  const hasSources = sources.some((list) => list.length > 0);
  const body = {
    format: FORMAT_VERSION,
    base: options.base,
    createdAt: options.createdAt.toISOString(),
    keyId: keys.keyId,
    foldedSeq: options.foldedSeq,
    lists: lists.map(({ info, content }, index) => ({
      ...info,
      numbers: [...content.plain.values()].reduce((sum, suffixes) => sum + suffixes.length, 0),
      dated: content.dated.length,
      ranges: ranges[index]!.length,
      sources: sources[index]!.length,
    })),
    shards,
    ranges: hasRanges ? await store(await seal(encodeRanges(ranges), keys)) : null,
    sources: hasSources ? await store(await seal(encodeSources(sources), keys)) : null,
    ...registered.value,
  };
  const total = [...values.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  const tooLarge =
    excessOf(total, RELEASE_BYTES_MAX, 'bytes') ??
    excessOf(shards.length + (registered.value.registrations?.shards.length ?? 0), SHARDS_MAX, 'shards');
  if (tooLarge !== null) return tooLarge;
  const release = await releaseName(body, options.createdAt);
  return ok({ manifest: { ...body, release }, values });
}

/** Builds the part of the manifest for registered senders. Returns an empty object without registered senders. */
async function buildRegistered(
  given: BuildOptions['registrations'],
  keys: ListKeys,
  store: (bytes: Uint8Array<ArrayBuffer>) => Promise<Blob>,
  storeShards: (encoded: readonly EncodedShard[]) => Promise<Manifest['shards']>,
): Promise<Result<{ readonly registrations?: RegisteredInfo }, Failure<BuildProblem>>> {
  if (given === undefined) return ok({});
  if ('info' in given) return ok({ registrations: given.info });
  const { version, content } = given;
  const pairs = [...content.pairs.values()];
  const counts = {
    clients: content.groups.flat().length,
    pairs: pairs.reduce((sum, { length }) => sum + length, 0),
    own: pairs.reduce((sum, keys) => sum + keys.reduce((odd, key) => odd + (key % SLOTS_PER_CLIENT), 0), 0),
    ranges: content.ranges.flat().length,
    short: countShort(content.ranges),
  };
  const owner = 'the registered senders';
  const excess =
    excessOf(counts.clients, REGISTERED_CLIENTS_MAX, 'clients', owner) ??
    excessOf(counts.pairs, REGISTERED_PAIRS_MAX, 'pairs of number and client', owner) ??
    excessOf(counts.ranges, REGISTERED_RANGES_MAX, 'ranges', owner);
  if (excess !== null) return fail(excess.code, `${excess.message}; ${largestOrganisations(content)}`);
  const encoded = encodePairShards(content);
  if (encoded === null) return fail('LIMIT_EXCEEDED', 'one number has more clients than a shard holds');
  const table = await store(await seal(encodeRegisteredTable(content), keys));
  return ok({
    registrations: {
      layout: REGISTERED_LAYOUT,
      version,
      ...counts,
      table,
      shards: await storeShards(encoded),
    },
  });
}

/** @param owner name of a list, or the release as a whole */
function excessOf(count: number, max: number, unit: string, owner = 'the release') {
  return count > max ? fail('LIMIT_EXCEEDED', `${owner}: ${count} ${unit}, at most ${max}`) : null;
}

/** Names a release by its minute and its content: 20261124T0312Z-9f2c1e4b. */
async function releaseName(body: object, createdAt: Date): Promise<string> {
  const minute = createdAt.toISOString().slice(0, 16).replace(/[-:]/g, '');
  return `${minute}Z-${(await sha256Hex(JSON.stringify(body))).slice(0, 8)}`;
}

/** @returns null if the entries of one number exceed a shard */
function encodeShards(
  lists: readonly ListContent[],
  onProgress?: (share: number) => void,
): EncodedShard[] | null {
  return packSlices({
    cut: (finer) => cutSlices(lists, finer),
    encode: (slice) => encodePart(slice, lists),
    lists: lists.length,
    ownShardBytes: SHARD_BYTES_MAX / 3,
    onProgress,
  });
}

function encodePart({ start, end, dense }: Slice, lists: readonly ListContent[]): EncodedPart {
  const encode = dense ? encodeDensePart : encodeSparsePart;
  return {
    start,
    plain: lists.map(({ plain }) => encode(plain, start, end)),
    dated: lists.map(({ dated }) => {
      const inside = dated.filter(({ key }) => key >= start && key < end);
      return inside.length === 0 ? null : encodeDated(inside);
    }),
  };
}

type Plain = ListContent['plain'];

function encodeDensePart(plain: Plain, start: number, end: number): Uint32Array | null {
  const [prefix, from] = [prefixOf(start), suffixOf(start)];
  const all = plain.get(prefix);
  if (all === undefined) return null;
  const to = end - prefix * SUFFIX_COUNT;
  const local = all.subarray(lowerBound(all, from), lowerBound(all, to)).map((suffix) => suffix - from);
  return local.length === 0 ? null : encodeDense(local, to - from);
}

function encodeSparsePart(plain: Plain, start: number, end: number): Uint32Array | null {
  const keys = [...plain].flatMap(([prefix, suffixes]) => {
    const first = prefix * SUFFIX_COUNT;
    return first >= start && first < end ? Array.from(suffixes, (suffix) => first + suffix) : [];
  });
  return keys.length === 0 ? null : encodeSparse(Float64Array.from(keys));
}
