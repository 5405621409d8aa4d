/** IDs of campaigns, as responses, commands and logs show them. */

/** `c-17` @param id counts up from 1 */
export function formatCampaignId(id: number): string {
  return `c-${id}`;
}

/** Null if the text is not the ID of a campaign. */
export function parseCampaignId(text: string): number | null {
  const digits = /^c-([1-9]\d{0,9})$/.exec(text)?.[1];
  const id = Number(digits ?? 0);
  return id > 0 && id <= 0xffffffff ? id : null;
}
