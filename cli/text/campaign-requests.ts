/**
 * Sends the requests of `numgate text campaigns`, in pieces that one request takes. Failures name the campaign or the line that
 * the user gave, not its position in a request.
 */
import type { CampaignAction } from '../../shared/admin/campaigns.ts';
import type { CampaignInfo } from '../../shared/admin/text.ts';
import { CAMPAIGN_TEXTS_MAX } from '../../shared/limits/campaigns.ts';
import type { Admin } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { count } from '../terminal/figures.ts';
import type { Located } from './campaign-texts.ts';

/** Path of campaigns in the admin API. */
export const CAMPAIGNS_PATH = 'text/campaigns';

/**
 * Changes campaigns in order, and stops at the first that cannot be changed.
 * @param onChanged called after each change
 * @throws CommandFailure that names the campaign, the changed campaigns, and the campaigns that were not tried
 */
export async function changeCampaigns(
  admin: Admin,
  ids: readonly string[],
  action: CampaignAction,
  body: object,
  onChanged: (campaign: CampaignInfo) => void,
): Promise<CampaignInfo[]> {
  const changed: CampaignInfo[] = [];
  for (const [index, id] of ids.entries()) {
    try {
      changed.push(await admin.change<CampaignInfo>('POST', `${CAMPAIGNS_PATH}/${id}/${action}`, body));
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      throw failureAt(error, { id, changed, notTried: ids.slice(index + 1) });
    }
    onChanged(changed.at(-1)!);
  }
  return changed;
}

interface Stopped {
  readonly id: string;
  readonly changed: readonly CampaignInfo[];
  readonly notTried: readonly string[];
}

function failureAt(error: CommandFailure, { id, changed, notTried }: Stopped): CommandFailure {
  const ids = changed.map((campaign) => campaign.id);
  const isOne = ids.length === 0 && notTried.length === 0;
  const lines = [
    `${id}: ${error.message}`,
    ...(isOne ? [] : [`  changed: ${namesOf(ids)}`, `  not tried: ${namesOf(notTried)}`]),
  ];
  const message = lines.join('\n');
  const extras = { ...error.details, message, campaign: id, campaigns: changed, notTried };
  return new CommandFailure(message, error.exitCode, extras);
}

function namesOf(ids: readonly string[]): string {
  return ids.length === 0 ? 'none' : ids.join(', ');
}

/**
 * Sends items in pieces that one request takes.
 * @param send the items of one piece @param isChange whether the service keeps the pieces before a failure
 * @returns what `send` returned, in order
 * @throws CommandFailure that names the line of an item that the service refuses
 */
export async function inPieces<Item, Answer>(
  items: readonly Located<Item>[],
  send: (some: readonly Item[]) => Promise<readonly Answer[]>,
  isChange = true,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let from = 0; from < items.length; from += CAMPAIGN_TEXTS_MAX) {
    const some = items.slice(from, from + CAMPAIGN_TEXTS_MAX);
    try {
      answers.push(...(await send(some.map(({ item }) => item))));
    } catch (error) {
      throw atLine(error, some, isChange ? from : 0);
    }
  }
  return answers;
}

/** Rewrites the service's message about `texts.7`, so that it names the line of that text. */
function atLine(error: unknown, some: readonly Located<unknown>[], taken: number): unknown {
  if (!(error instanceof CommandFailure)) return error;
  const found = /"(?:texts|fingerprints|campaigns)\.(\d+)(?:\.([^"]+))?" /.exec(error.message);
  const located = found === null ? undefined : some[Number(found[1])];
  const rest = found?.[2] === undefined ? '' : `"${found[2]}" `;
  const message =
    located === undefined
      ? error.message
      : `${located.where}: ${error.message.replace(/^[A-Z_]+: /, '').replace(found![0], rest)}`;
  const earlier =
    taken === 0
      ? ''
      : `\n  the ${count(taken)} before it were accepted: to send the rest, run the command again`;
  const whole = message + earlier;
  return new CommandFailure(whole, error.exitCode, { ...error.details, message: whole });
}
