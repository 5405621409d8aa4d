/** The store of appeals against blocks, of which there is one, as the routes call it. */

export interface AppealObject {
  /** How many appeals wait for a decision. */
  waiting(): Promise<number>;
}

/** The name of the only store of appeals. */
export const APPEALS_NAME = 'main';
