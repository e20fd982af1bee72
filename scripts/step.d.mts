/** The ignored folder of what is fetched and built. */
export const cache: string;
