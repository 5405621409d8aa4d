/** Reads lists of the admin API page by page. */
import { CREDENTIALS_PAGE_MAX } from '../../shared/limits/credential-store.ts';
import type { Admin, Query } from '../admin.ts';

export interface Pages<Item> {
  readonly items: readonly Item[];
  /** Cursor of the remaining items; null if there are none. */
  readonly next: string | null;
}

/** @param name field of the response with the list @param limit maximum number of items @param filter query of every page */
export async function pagesOf<Item>(
  admin: Admin,
  path: string,
  name: string,
  limit: number,
  filter: Query = {},
): Promise<Pages<Item>> {
  const items: Item[] = [];
  let next: string | null = null;
  do {
    const query: Query = {
      ...filter,
      after: next,
      limit: Math.min(limit - items.length, CREDENTIALS_PAGE_MAX),
    };
    const page: Readonly<Record<string, unknown>> = await admin.get(path, query);
    items.push(...(page[name] as Item[]));
    next = (page.next as string | null | undefined) ?? null;
  } while (next !== null && items.length < limit);
  return { items, next };
}
