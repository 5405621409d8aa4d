/**
 * Text releases and campaigns for the tests of the edge: their sealed values in KV, as the text store writes them, and their
 * part of the head.
 */
import { env } from 'cloudflare:workers';
import { sha256Hex, toBase64 } from '../../../shared/bytes.ts';
import type { Head, NamedValue } from '../../../shared/release/head.ts';
import { textKey } from '../../../shared/release/kv-keys.ts';
import type { SignedText } from '../../../shared/release/signed.ts';
import { seal } from '../../../shared/set/seal.ts';
import { type Campaign, encodeCampaigns } from '../../../shared/text/campaign-table.ts';
import { sealTextIndex, type TextIndex } from '../../../shared/text/text-index.ts';
import { signTextManifest, type TextManifest } from '../../../shared/text/text-manifest.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { type HostLists, hostsOf, MODEL, modelOf, TEXT_KEY_SECRET } from '../../shared/support/text-world.ts';
import { RELEASE_PRIVATE_KEY } from './secrets.ts';
import { privateKey } from './world.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** The TEXT_KEY binding. */
export const TEXT_KEY = toBase64(TEXT_KEY_SECRET);

export interface TextReleaseContent {
  /** Texts that the model finds suspicious; null for no model. */
  readonly suspicious?: readonly string[] | null;
  readonly hosts?: HostLists | null;
  readonly model?: string;
  /** Distinguishes releases of the same content. */
  readonly minute?: number;
  /** PKCS #8 in base64. */
  readonly signingKey?: string;
  readonly keys?: typeof testKeys;
}

export interface PublishedRelease {
  readonly manifest: TextManifest;
  readonly signed: SignedText;
}

/** Puts a release into KV. */
export async function putTextRelease({
  suspicious = null,
  hosts = null,
  model: name = MODEL.name,
  minute = 0,
  signingKey = RELEASE_PRIVATE_KEY,
  keys = testKeys,
}: TextReleaseContent): Promise<PublishedRelease> {
  const encoded = hosts === null ? null : hostsOf(hosts);
  const manifest: TextManifest = {
    ...{ kind: 'numgate-text', format: 1, base: null, createdAt: '2026-11-24T03:00:00.000Z' },
    release: `text-20261124T03${String(minute).padStart(2, '0')}Z-0000000a`,
    model: suspicious === null ? null : { ...MODEL, name, value: await put(modelOf(...suspicious), keys) },
    hosts:
      encoded === null
        ? null
        : {
            ...{ value: await put(encoded.bytes, keys), lists: encoded.lists },
            count: encoded.lists.reduce((sum, list) => sum + list.hosts, 0),
          },
    canaryTexts: null,
  };
  return { manifest, signed: await signTextManifest(manifest, await privateKey(signingKey)) };
}

/** Puts an index and the table of campaigns into KV. @returns the part of the head */
export async function putTextIndex(
  some: Partial<Omit<TextIndex, 'campaigns'>> & { readonly campaigns?: readonly Campaign[] },
  keys = testKeys,
): Promise<Required<Pick<Head, 'text'>>> {
  const { campaigns = [], ...others } = some;
  const index: TextIndex = {
    ...{ kind: 'numgate-text-index', format: 1, version: 1, current: null, candidate: null },
    campaigns: campaigns.length === 0 ? null : await put(encodeCampaigns(campaigns), keys),
    ...others,
  };
  const bytes = await sealTextIndex(index, keys);
  const sha256 = await sha256Hex(bytes);
  await env.LISTS.put(textKey(sha256), bytes);
  return { text: { version: index.version, index: { key: textKey(sha256), sha256 } } };
}

async function put(content: Bytes, keys: typeof testKeys): Promise<NamedValue> {
  const bytes = await seal(content, keys);
  const sha256 = await sha256Hex(bytes);
  await env.LISTS.put(textKey(sha256), bytes);
  return { key: textKey(sha256), sha256 };
}
