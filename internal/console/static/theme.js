// The theme is the system's unless a person chose another one. The server writes the choice into the
// page, so that nothing flashes.
const root = document.documentElement;

export const isDark = () => root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;

export async function flipTheme() {
  const theme = isDark() ? 'light' : 'dark';
  root.dataset.theme = theme;
  await fetch(`${root.dataset.prefix}/theme`, { method: 'POST', body: new URLSearchParams({ theme }) }).catch(() => {});
}
