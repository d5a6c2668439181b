export function downloadText(url: string, limitMs: number): Promise<string>
export function downloadFile(
  url: string,
  path: string,
  limits: { readonly sha256: string; readonly connectMs: number; readonly limitMs: number },
): Promise<void>
