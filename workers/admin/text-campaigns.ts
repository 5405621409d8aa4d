/**
 * `/v1/admin/text/campaigns`: reported campaigns, and the decisions of people on them. Texts come only in bodies. Their
 * fingerprints are computed here, and only the fingerprints are passed on.
 */
import {
  confirmCampaignSchema,
  decideCampaignSchema,
  type EnrolledCampaigns,
  enrolCampaignsSchema,
  importCampaignsSchema,
  type MatchedCampaigns,
  matchCampaignsSchema,
  type SharedFingerprint,
} from '../../shared/admin/campaigns.ts';
import { CAMPAIGN_STATES } from '../../shared/admin/text.ts';
import { toBase64 } from '../../shared/bytes.ts';
import { fieldError, oneOf } from '../../shared/fields.ts';
import { CAMPAIGN_BODY_BYTES_MAX, CAMPAIGNS_PAGE_MAX } from '../../shared/limits/campaigns.ts';
import { ok, type Result } from '../../shared/result.ts';
import { parseCampaignId } from '../../shared/text/campaign-id.ts';
import { type FingerprintKey, fingerprintOf, MATCHED_BINS_MIN } from '../../shared/text/fingerprint.ts';
import { readText } from '../../shared/text/text.ts';
import type { ControlEnv } from '../env.ts';
import { readBody } from '../http/json-body.ts';
import { parametersOf } from '../http/parameters.ts';
import { type Problem, problem } from '../http/reply.ts';
import type { CampaignRequest } from '../storage/campaign-port.ts';
import { textKeyOf } from '../storage/text-secrets.ts';
import { type AdminContext, forAdmins, forChanges } from './context.ts';
import { textStoreOf } from './text-stub.ts';

const LARGE = { bytesMax: CAMPAIGN_BODY_BYTES_MAX };

export const listCampaigns = forAdmins('text', async (context) => {
  const parameters = parametersOf(context.url, { state: 'text', after: 'number', limit: 'number' });
  if (!parameters.ok) return parameters;
  const { text, number } = parameters.value;
  const state = text.state === undefined ? ok(undefined) : oneOf(CAMPAIGN_STATES, 'state', text.state);
  if (!state.ok) return state;
  const limit = Math.max(1, Math.min(number.limit ?? CAMPAIGNS_PAGE_MAX, CAMPAIGNS_PAGE_MAX));
  return ok(await textStoreOf(context).campaignPage({ state: state.value }, number.after ?? 0, limit));
});

export const getCampaign = forAdmins('text', async (context) => {
  const id = parseCampaignId(context.params.id!);
  const found = id === null ? null : await textStoreOf(context).campaign(id);
  return found === null ? unknown() : ok(found);
});

/** Confirms the campaigns of texts, or of fingerprints, until a time. */
export const enrolCampaigns = forChanges(
  'text',
  enrolCampaignsSchema,
  async (context) => {
    const { texts, fingerprints, until } = context.body;
    if ((texts === undefined) === (fingerprints === undefined))
      return fieldError('FIELD_VALUE', 'texts', 'or "fingerprints" must be set, but not both');
    const shared = texts === undefined ? ok(fingerprints!) : await fingerprintsOf(context, texts);
    if (!shared.ok) return shared;
    const found = shared.value.indexOf(null);
    if (found !== -1)
      return fieldError('FIELD_VALUE', `texts.${found}`, 'is too short: a campaign needs about 25 syllables');
    const whole = shared.value.filter((each) => each !== null);
    const done = await textStoreOf(context).enrolCampaigns(requestOf(context), whole, Date.parse(until));
    return done.ok ? ok<EnrolledCampaigns>({ campaigns: done.value }) : done;
  },
  LARGE,
);

/** Imports campaigns from the feed of another installation. */
export const importCampaigns = forChanges(
  'text',
  importCampaignsSchema,
  (context) => textStoreOf(context).importCampaigns(context.change, context.body.campaigns),
  LARGE,
);

export const confirmCampaign = forChanges('text', confirmCampaignSchema, async (context) => {
  const id = parseCampaignId(context.params.id!);
  if (id === null) return unknown();
  return textStoreOf(context).confirmCampaign(requestOf(context), id, Date.parse(context.body.until));
});

export const rejectCampaign = forChanges('text', decideCampaignSchema, async (context) => {
  const id = parseCampaignId(context.params.id!);
  return id === null ? unknown() : textStoreOf(context).rejectCampaign(requestOf(context), id);
});

export const revokeCampaign = forChanges('text', decideCampaignSchema, async (context) => {
  const id = parseCampaignId(context.params.id!);
  return id === null ? unknown() : textStoreOf(context).revokeCampaign(requestOf(context), id);
});

/** A look-up, but with POST: texts do not belong in URLs. */
export const matchCampaigns = forAdmins('text', async (context) => {
  const read = await readBody(context, matchCampaignsSchema, CAMPAIGN_BODY_BYTES_MAX);
  if (!read.ok) return read;
  const shared = await fingerprintsOf(context, read.value.body.texts, MATCHED_BINS_MIN);
  if (!shared.ok) return shared;
  const found = await textStoreOf(context).matchCampaigns(shared.value.filter((each) => each !== null));
  const next = found.values();
  const matches = shared.value.map((each) =>
    each === null ? { campaign: null, blocks: false, hasFingerprint: false } : next.next().value!,
  );
  return ok<MatchedCampaigns>({ matches });
});

/** In the order of the texts; null for a text that is too short. @param least as in fingerprintOf: to enrol by default */
async function fingerprintsOf(
  { env }: Pick<AdminContext, 'env'>,
  texts: readonly string[],
  least?: number,
): Promise<Result<readonly (SharedFingerprint | null)[], Problem>> {
  const key = await textKeyOf(env as unknown as ControlEnv);
  if (!key.ok) return problem('NOT_CONFIGURED', key.message);
  return ok(texts.map((text) => sharedOf(text, key.value, least)));
}

function sharedOf(text: string, key: FingerprintKey, least?: number): SharedFingerprint | null {
  const values = fingerprintOf(readText(text), key, undefined, least);
  if (values === null) return null;
  return { fingerprint: toBase64(new Uint8Array(values.buffer)), textKeyId: key.id };
}

function requestOf({
  change,
  body,
}: {
  readonly change: CampaignRequest;
  readonly body: Pick<CampaignRequest, 'overrideAuthorities'>;
}): CampaignRequest {
  const { actor, reason, repeat } = change;
  return { actor, reason, repeat, overrideAuthorities: body.overrideAuthorities };
}

function unknown(): Problem {
  return problem('CAMPAIGN_UNKNOWN', 'no campaign has this ID');
}
