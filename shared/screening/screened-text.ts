/**
 * The findings of a text, in decisions and in responses. They contain nothing of the text.
 */
import { testTextOf } from '../test-texts.ts';
import { analyseText, type TextAnalysis, type TextBand } from '../text/analyse-text.ts';
import { formatCampaignId } from '../text/campaign-id.ts';
import type { FeatureFamily } from '../text/features.ts';
import type { PublishedText } from '../text/published.ts';

/** The findings of a text, and the release that they come from. */
export interface ScreenedText extends TextAnalysis {
  /** The text release; null if there is none, and for test texts. */
  readonly release: string | null;
  /** Whether it is a test text. Test texts are not counted. */
  readonly isTest: boolean;
}

/** What a response says about a text. It contains nothing of the text itself, and no host. */
export interface TextAnswer {
  /** 0 to 1; null without a model. */
  readonly score: number | null;
  readonly band: TextBand | null;
  /** Families of features that raised the score most, strongest first. Empty for the band `ordinary`. */
  readonly reasons: readonly FeatureFamily[];
  /** `c-17`; null if the text belongs to no confirmed campaign. */
  readonly campaign: string | null;
  /** Name of the model; null without one. */
  readonly model: string | null;
}

/** Analyses a text. @param now in ms since 1970 */
export function screenedText(text: string, published: PublishedText, now: number): ScreenedText {
  const test = testTextOf(text);
  if (test !== null) return { ...test, release: null, isTest: true };
  return { ...analyseText(text, published, now), release: published.release, isTest: false };
}

export function formatText({ score, band, reasons, campaign, model }: ScreenedText): TextAnswer {
  return {
    ...{ score, band, reasons: band === null || band === 'ordinary' ? [] : reasons },
    ...{ campaign: campaign === null ? null : formatCampaignId(campaign.id), model },
  };
}
