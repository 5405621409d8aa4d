/**
 * A text for training or evaluation, and the parser that makes it from a row of an input. Errors name the field and what to do.
 * They never hold the text, nor a value that could be a part of a text because columns are shifted.
 */
import { TEXT_CHARS_MAX } from '../../shared/limits/text.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { NAME_PATTERN } from '../../shared/schemas.ts';
import { secondsOf } from '../import/dates.ts';
import { count } from '../terminal/figures.ts';

export const LABELS = ['spam', 'legitimate'] as const;
export type Label = (typeof LABELS)[number];

/** Default domain of legitimate texts. */
export const NO_DOMAIN = 'other';

export interface LabelledText {
  readonly text: string;
  readonly isSpam: boolean;
  /** When the text was sent, in seconds since 1970; null if unknown. */
  readonly at: number | null;
  /** Domain of legitimate text, such as `delivery`. False positives are counted by domain. */
  readonly domain: string;
  /** Name of the campaign of the text, if people know it. Otherwise, near-duplicates are found. */
  readonly campaign: string | null;
}

export const FIELDS = ['text', 'label', 'date', 'domain', 'campaign'] as const;
export type Field = (typeof FIELDS)[number];
/** Empty strings stand for absent values. */
export type Row = Readonly<Partial<Record<Field, string>>>;

export interface RowProblem extends Failure<'ROW_INVALID'> {
  readonly field: Field;
}

export interface RowSettings {
  /** Meaning of labels of the input other than `spam` and `legitimate`. */
  readonly labels: ReadonlyMap<string, Label>;
  /** In seconds since 1970. */
  readonly now: number;
}

const CAMPAIGN_CHARS_MAX = 64;

export function textOfRow(row: Row, settings: RowSettings): Result<LabelledText, RowProblem> {
  const { text = '', label = '', date = '', domain = '', campaign = '' } = row;
  if (text.trim() === '') return problem('text', 'is empty: remove the row');
  if (text.length > TEXT_CHARS_MAX)
    return problem(
      'text',
      `has ${count(text.length)} characters; a check takes at most ${count(TEXT_CHARS_MAX)}: cut it, or remove the row`,
    );
  if (!text.isWellFormed())
    return problem('text', 'has half of a character (a lone UTF-16 surrogate): export it again as UTF-8');
  const known = labelOf(label, settings.labels);
  if (known === null) return problem('label', labelProblem(label));
  const at = date === '' ? null : secondsOf(date);
  if (date !== '' && at === null)
    return problem('date', 'must be a date such as 2026-11-27, or a time such as 2026-11-27T09:00:00+09:00');
  if (at !== null && at > settings.now)
    return problem('date', 'is in the future: correct it, or leave it empty if it is unknown');
  if (domain !== '' && !NAME_PATTERN.test(domain))
    return problem('domain', 'must have only lower case letters, digits and dashes, at most 63');
  if (campaign.length > CAMPAIGN_CHARS_MAX)
    return problem('campaign', `must have at most ${CAMPAIGN_CHARS_MAX} characters`);
  return ok({
    ...{ text, isSpam: known === 'spam', at, domain: domain === '' ? NO_DOMAIN : domain },
    campaign: campaign === '' ? null : campaign,
  });
}

function labelOf(label: string, labels: ReadonlyMap<string, Label>): Label | null {
  return LABELS.find((each) => each === label) ?? labels.get(label) ?? null;
}

/** The label itself is not shown, because it is a text if columns are shifted. */
function labelProblem(label: string): string {
  const words = `must be ${LABELS.join(' or ')}`;
  const others = 'other labels need --labels, such as --labels ham=legitimate,1=spam';
  return label === '' ? `is missing: it ${words}` : `has an unknown value: it ${words}; ${others}`;
}

function problem(field: Field, message: string): RowProblem {
  return { ...fail('ROW_INVALID', `"${field}" ${message}`), field };
}
