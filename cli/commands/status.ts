/** `numgate status`: the head according to the coordinator, and the head that each edge uses. */
import type { ListsInfo, StatusInfo } from '../../shared/admin.ts';
import type { Admin } from '../admin.ts';
import { type Health, healthOf } from './watch.ts';

export interface Status extends StatusInfo, Pick<ListsInfo, 'lists'> {
  readonly url: string;
  readonly edges: readonly { readonly url: string; readonly health: Health | null }[];
}

/** @param urls of the edges */
export async function status(admin: Admin, urls: readonly string[]): Promise<Status> {
  const [info, { lists }, ...edges] = await Promise.all([
    admin.get<StatusInfo>('status'),
    admin.get<ListsInfo>('lists'),
    ...urls.map(async (url) => ({ url, health: await healthOf(url) })),
  ]);
  return { ...info, lists, url: admin.url, edges };
}
