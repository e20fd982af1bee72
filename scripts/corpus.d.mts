export function corpusInPlace(): { id: string; path: string }[] | null;
export function fetchCorpus(): Promise<{ id: string; path: string }[]>;
