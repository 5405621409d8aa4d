/**
 * Sends gateway requests to screen(), and builds snapshots that list sources.
 */

import type { Ingress, ScreenRequest, Sender } from '../../../shared/request.ts';
import { type GatewayResponse, toGatewayResponse } from '../../../shared/screening/gateway-response.ts';
import { screen } from '../../../shared/screening/screen.ts';
import type { ClientSettings, Snapshot } from '../../../shared/screening/snapshot.ts';
import type { Effect } from '../../../shared/verdict.ts';
import { build, install } from './built-release.ts';
import { gatewaySnapshot, ingress, SENDERS_BY_KIND } from './gateway-world.ts';
import { EVER, plainList } from './plain-model.ts';
import { clientSettings } from './screen-world.ts';

/** A snapshot without listed numbers or sources. */
export const EMPTY = gatewaySnapshot('none', SENDERS_BY_KIND.foreign);

export function check(
  from: Sender,
  via: Partial<Ingress> = {},
  at: Snapshot = EMPTY,
  settings: Partial<ClientSettings> = {},
  some: Partial<ScreenRequest> = {},
): GatewayResponse {
  const request: ScreenRequest = {
    ...{ from, to: null, channel: 'voice', ingress: ingress(via), otherReadings: [] },
    ...some,
  };
  return toGatewayResponse(request, screen(request, at, clientSettings(settings)), at);
}

/** @param lists each with an effect and its sources as written */
export async function listing(...lists: [effect: Effect, ...sources: string[]][]): Promise<Snapshot> {
  return { ...EMPTY, release: await install(await buildLists(lists)) };
}

/** Like `listing`, but no value of the release is loaded. */
export async function unloaded(...lists: [effect: Effect, ...sources: string[]][]): Promise<Snapshot> {
  return { ...EMPTY, release: await install(await buildLists(lists), () => false) };
}

function buildLists(lists: readonly [effect: Effect, ...sources: string[]][]): ReturnType<typeof build> {
  const plain = lists.map(([effect, ...sources], index) => {
    const list = plainList(`list-${index}`, { sources: sources.map((text) => ({ text, ...EVER })) });
    return {
      ...list,
      info: { ...list.info, effect, subjects: ['from'], reason: 'OVERSEAS_SOURCE_LISTED' },
    } as const;
  });
  return build(plain as never);
}
