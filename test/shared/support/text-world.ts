/**
 * Small text releases for tests, with known findings for each text. The model finds only texts suspicious that resemble the
 * texts it was made from.
 */
import { MODEL_BITS_MIN } from '../../../shared/limits/text.ts';
import { type Campaign, CampaignTable, encodeCampaigns } from '../../../shared/text/campaign-table.ts';
import { featuresOf } from '../../../shared/text/features.ts';
import { deriveFingerprintKey, fingerprintOf, TEXT_KEY_BYTES } from '../../../shared/text/fingerprint.ts';
import { encodeHosts, HostTable } from '../../../shared/text/host-table.ts';
import { encodeModel, TextModel } from '../../../shared/text/model.ts';
import { NO_TEXT, type PublishedText } from '../../../shared/text/published.ts';
import { readText } from '../../../shared/text/text.ts';
import type { HostListInfo, ModelFacts } from '../../../shared/text/text-manifest.ts';
import type { Effect } from '../../../shared/verdict.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** TEXT_KEY of tests: the bytes 60 to 7f. */
export const TEXT_KEY_SECRET = Uint8Array.from({ length: TEXT_KEY_BYTES }, (_, index) => 0x60 + index);
export const textKey = await deriveFingerprintKey(TEXT_KEY_SECRET);

/** A text that the model of the tests finds suspicious, and a text that it does not. */
export const SUSPICIOUS =
  '축하합니다! 무료 적립금 백만원이 지급되었습니다. 오늘 안에 신청하지 않으면 소멸됩니다.';
export const ORDINARY = '내일 오후 세 시에 회의실에서 뵙겠습니다. 자료는 제가 가져갈게요.';
/** The text of a campaign. */
export const CAMPAIGN =
  '[국제발신] 고객님의 택배가 주소 불명으로 반송될 예정입니다. 아래 주소에서 배송지를 확인하여 주시기 바랍니다.';

export const MODEL: ModelFacts = {
  ...{ name: 'kr-test', bits: MODEL_BITS_MIN, thresholds: { review: 0.5, suspicious: 0.9 } },
  trained: { spam: 1, legitimate: 0, from: null, to: null },
  ...{ domains: [], spam: { texts: 0, review: 0, suspicious: 0 } },
};

/** The bytes of a model for these texts. */
export function modelOf(...texts: readonly string[]): Bytes {
  const weights = new Int8Array(2 ** MODEL_BITS_MIN);
  for (const text of texts)
    for (const bucket of featuresOf(readText(text), MODEL_BITS_MIN).buckets) weights[bucket] = 100;
  return encodeModel({ bits: MODEL_BITS_MIN, bias: -12, scale: 0.02 }, weights);
}

export function hostList(name: string, effect: Effect, hosts: number): HostListInfo {
  return { name, effect, authority: 'kisa', asOf: '2026-11-24T00:00:00Z', hosts };
}

/** Host lists by name, each with its effect and hosts. */
export type HostLists = Readonly<Record<string, readonly [Effect, ...string[]]>>;

export function hostsOf(lists: HostLists): { readonly lists: HostListInfo[]; readonly bytes: Bytes } {
  const all = Object.entries(lists);
  const rows = all.flatMap(([, [, ...hosts]], list) => hosts.map((host) => ({ host, list })));
  return {
    lists: all.map(([name, [effect, ...hosts]]) => hostList(name, effect, hosts.length)),
    bytes: encodeHosts(rows),
  };
}

/** @param until in seconds since 1970 */
export function campaignOf(id: number, text: string, until: number, mark: Partial<Campaign> = {}): Campaign {
  const fingerprint = fingerprintOf(readText(text), textKey);
  if (fingerprint === null) throw new Error('the text of a campaign is too short');
  return { id, until, authority: 'kisa', fingerprint, ...mark };
}

/** Published texts, as the edge holds them. */
export function publishedText(some: {
  readonly suspicious?: readonly string[];
  readonly hosts?: HostLists;
  readonly campaigns?: readonly Campaign[];
}): PublishedText {
  const { suspicious, hosts, campaigns = [] } = some;
  const value = { key: 'text/0', sha256: '0' };
  const encoded = hosts === undefined ? null : hostsOf(hosts);
  return {
    ...{ ...NO_TEXT, version: 1, release: 'text-20261124T0300Z-00000000', key: textKey },
    model:
      suspicious === undefined
        ? null
        : { info: { ...MODEL, value }, model: new TextModel(modelOf(...suspicious)) },
    hosts:
      encoded === null
        ? null
        : { lists: encoded.lists, table: new HostTable(encoded.bytes, encoded.lists.length) },
    campaigns: new CampaignTable(encodeCampaigns(campaigns)),
  };
}
