/** Department and posts beside a name, leaving out what the name says already. */
export function dutyOf(name: string, department: string, posts: readonly string[]): string {
  return [department, ...posts].filter((part) => part && !name.includes(part)).join(' · ')
}
