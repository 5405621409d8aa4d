/**
 * What the three layers find in a text: hosts on signed lists, a confirmed campaign, and the score of the model. Pure. The
 * result holds nothing of the text.
 */

import type { FoundCampaign } from './campaign-table.ts';
import type { FeatureFamily } from './features.ts';
import { FINGERPRINT_VALUES, fingerprintOf, MATCHED_BINS_MIN } from './fingerprint.ts';
import type { PublishedText } from './published.ts';
import { readText } from './text.ts';
import type { HostListInfo } from './text-manifest.ts';

/** Weakest first. `review` is for people who look at samples: it has no effect on the verdict. */
export const TEXT_BANDS = ['ordinary', 'review', 'suspicious'] as const;
export type TextBand = (typeof TEXT_BANDS)[number];

export interface TextAnalysis {
  /** 0 to 1, to three places; null without a model. The band follows from the score before it is rounded. */
  readonly score: number | null;
  readonly band: TextBand | null;
  /** Families of features that raised the score, strongest first. None in the band `ordinary`. */
  readonly reasons: readonly FeatureFamily[];
  /** Lists that have a host of the text: for each host, the list that decides about it. */
  readonly hosts: readonly HostListInfo[];
  /**
   * Whether at least one host is listed, all listed hosts are on allow lists, and so is every host that a phone opens. A
   * host in another reading that is on no list does not count: `바로가기bank.example`, `Thanks.Bye`.
   */
  readonly onlyAllowedHosts: boolean;
  readonly campaign: FoundCampaign | null;
  /** Name of the model. */
  readonly model: string | null;
}

const NO_REASONS: readonly FeatureFamily[] = [];
/** Memory of the fingerprint of the text being analysed. */
const print = new Uint16Array(FINGERPRINT_VALUES);

/** @param text at most TEXT_CHARS_MAX characters @param now in ms since 1970 */
export function analyseText(text: string, published: PublishedText, now: number): TextAnalysis {
  const read = readText(text);
  const { model, key, campaigns } = published;
  const scored = model?.model.score(read) ?? null;
  const band = scored === null ? null : bandOf(scored.score, model!.info.thresholds);
  const isPrinted =
    key !== null && campaigns.count > 0 && fingerprintOf(read, key, print, MATCHED_BINS_MIN) !== null;
  const found = read.hosts.map((host) => listOf(host, published)).filter((list) => list !== null);
  return {
    score: scored === null ? null : Math.round(scored.score * 1000) / 1000,
    band,
    reasons: scored === null || band === 'ordinary' ? NO_REASONS : scored.reasons,
    hosts: found,
    onlyAllowedHosts:
      found.length > 0 &&
      found.every(isAllowed) &&
      read.opened.every((host) => isAllowed(listOf(host, published))),
    campaign: isPrinted ? campaigns.find(print, now) : null,
    model: model?.info.name ?? null,
  };
}

function bandOf(
  score: number,
  { review, suspicious }: { readonly review: number; readonly suspicious: number },
): TextBand {
  if (score >= suspicious) return 'suspicious';
  return score >= review ? 'review' : 'ordinary';
}

function isAllowed(list: HostListInfo | null): boolean {
  return list?.effect === 'allow';
}

const STRENGTH = { allow: 3, block: 2, label: 1, shadow: 0 } as const;

/** The list that decides about a host: among the lists of its longest listed parent, allow before block before label. */
function listOf(host: string, { hosts }: PublishedText): HostListInfo | null {
  if (hosts === null) return null;
  const found = hosts.table.listsOf(host).map((list) => hosts.lists[list]!);
  const [first = null] = found.toSorted((a, b) => STRENGTH[b.effect] - STRENGTH[a.effect]);
  return first;
}
