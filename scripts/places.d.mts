export interface Place {
  version: string;
  start(file: string, seconds: number): Promise<{ output: string; timedOut: boolean }>;
  close(): Promise<void> | void;
}
export const places: readonly { name: string; open(): Promise<Place> }[];
