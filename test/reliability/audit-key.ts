/** What signs the logs of servers that are killed. */
export const AUDIT_KEY = "a secret for servers that are killed";
