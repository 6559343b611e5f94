/** Department and posts beside a name, leaving out what the name says already. */
export function dutyOf(name: string, department: string, posts: readonly string[]): string {
  const said = name.toLowerCase()
  return [department, ...posts].filter((part) => part && !said.includes(part.toLowerCase())).join(' · ')
}
