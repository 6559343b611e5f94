/** Routes, each loaded when first opened. Everything but sign-in needs a session. */
import { createRouter, createWebHistory } from 'vue-router'

import { whenSignedOut } from '../api/client'
import { useSession } from '../access/session'
import { useCity } from '../city/city'

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/sign-in', name: 'sign-in', component: () => import('../access/SignIn.vue'), meta: { open: true } },
    {
      path: '/',
      component: () => import('./Shell.vue'),
      children: [
        { path: '', name: 'map', component: () => import('../map/MapPage.vue') },
        { path: 'warnings', name: 'warnings', component: () => import('../watch/WarningsPage.vue') },
        { path: 'warnings/:id', name: 'warning', component: () => import('../watch/WarningPage.vue'), props: true },
        { path: 'cases', name: 'cases', component: () => import('../cases/CasesPage.vue') },
        { path: 'cases/new', name: 'report', component: () => import('../cases/ReportPage.vue') },
        { path: 'cases/:id', name: 'case', component: () => import('../cases/CasePage.vue'), props: true },
        { path: 'board', name: 'board', component: () => import('../analyse/BoardPage.vue') },
        { path: 'denied', name: 'denied', component: () => import('./ProblemPage.vue'), props: { denied: true } },
        { path: ':rest(.*)*', name: 'not-found', component: () => import('./ProblemPage.vue') },
      ],
    },
  ],
})

let restored = false

router.beforeEach(async (to) => {
  const session = useSession()
  const city = useCity()
  if (!restored) {
    await Promise.all([session.restore(), city.load()]).catch(() => undefined)
    restored = true
  }
  if (to.meta.open) return session.actor ? { path: '/' } : true
  return session.actor ? true : { name: 'sign-in', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
})

whenSignedOut(() => {
  const session = useSession()
  // The first question at start-up is answered by the guard itself.
  if (!session.actor) return
  session.session = null
  void router.push({ name: 'sign-in', query: { next: router.currentRoute.value.fullPath } })
})
