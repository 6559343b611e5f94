/** Routes, each loaded when first opened. Everything but sign-in and the citizen's pages needs a session. */
import { createRouter, createWebHistory } from 'vue-router'

import { whenSignedOut } from '../api/client'
import { useSession } from '../access/session'
import { useCity } from '../city/city'
import { offeredGroups } from './rails'

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/sign-in', name: 'sign-in', component: () => import('../access/SignIn.vue'), meta: { open: true } },
    {
      // A path of its own: a parent at '/' would be the page at '/'.
      path: '/citizen',
      redirect: '/report',
      component: () => import('../citizen/CitizenShell.vue'),
      meta: { public: true },
      children: [
        { path: '/report', name: 'citizen-report', component: () => import('../citizen/CitizenReport.vue') },
        { path: '/follow', name: 'citizen-follow', component: () => import('../citizen/CitizenFollow.vue') },
        { path: '/apply', name: 'apply', component: () => import('../approve/ItemsPage.vue') },
        { path: '/apply/follow', name: 'apply-follow', component: () => import('../approve/FollowPage.vue') },
        { path: '/apply/:id', name: 'apply-item', component: () => import('../approve/ItemPage.vue'), props: true },
      ],
    },
    {
      path: '/',
      component: () => import('./Shell.vue'),
      children: [
        { path: '', name: 'map', component: () => import('../map/MapPage.vue') },
        { path: 'warnings', name: 'warnings', component: () => import('../watch/WarningsPage.vue') },
        { path: 'warnings/:id', name: 'warning', component: () => import('../watch/WarningPage.vue'), props: true },
        { path: 'rules', name: 'rules', component: () => import('../watch/RulesPage.vue') },
        { path: 'rules/health', name: 'rule-health', component: () => import('../watch/HealthPage.vue') },
        { path: 'rules/new', name: 'rule-new', component: () => import('../watch/RulePage.vue') },
        { path: 'rules/:id', name: 'rule', component: () => import('../watch/RulePage.vue'), props: true },
        { path: 'forecasts', name: 'forecasts', component: () => import('../watch/ForecastsPage.vue') },
        { path: 'forecasts/:id', name: 'forecast', component: () => import('../watch/ForecastModelPage.vue'), props: true },
        { path: 'forecasts/:id/:entity', name: 'forecast-entity', component: () => import('../watch/ForecastPage.vue'), props: true },
        { path: 'mutes', name: 'mutes', component: () => import('../watch/MutesPage.vue') },
        { path: 'decisions', name: 'decision-tables', component: () => import('../decide/DecisionTablesPage.vue') },
        { path: 'decisions/log', name: 'decision-log', component: () => import('../decide/DecisionLogPage.vue') },
        { path: 'decisions/tables/:id', name: 'decision-table', component: () => import('../decide/DecisionTablePage.vue'), props: true },
        { path: 'decisions/:id', name: 'decision', component: () => import('../decide/DecisionPage.vue'), props: true },
        { path: 'desk', name: 'desk', component: () => import('../desk/DeskPage.vue') },
        { path: 'desk/parts', name: 'desk-parts', component: () => import('../desk/PartsPage.vue') },
        { path: 'field', name: 'field', component: () => import('../field/FieldPage.vue') },
        { path: 'field/report', name: 'field-report', component: () => import('../field/FieldReport.vue') },
        { path: 'cases', name: 'cases', component: () => import('../cases/CasesPage.vue') },
        { path: 'cases/new', name: 'report', component: () => import('../cases/ReportPage.vue') },
        { path: 'cases/sent', name: 'sent', component: () => import('../cases/SentPage.vue') },
        { path: 'cases/:id', name: 'case', component: () => import('../cases/CasePage.vue'), props: true },
        { path: 'commands', name: 'commands', component: () => import('../command/CommandsPage.vue') },
        { path: 'commands/contacts', name: 'command-contacts', component: () => import('../command/ContactsPage.vue') },
        { path: 'commands/:id', name: 'command', component: () => import('../command/CommandPage.vue'), props: true },
        { path: 'scores', name: 'scoreboard', component: () => import('../evaluate/ScoreboardPage.vue') },
        { path: 'scores/cases', name: 'figure', component: () => import('../evaluate/FigurePage.vue') },
        { path: 'scores/what-if', name: 'what-if', component: () => import('../evaluate/WhatIfPage.vue') },
        { path: 'settings', redirect: '/settings/calendar' },
        { path: 'settings/calendar', name: 'calendar', component: () => import('../city/CalendarPage.vue') },
        { path: 'settings/limits', name: 'limits', component: () => import('../city/LimitsPage.vue') },
        { path: 'settings/limits/change', name: 'limits-change', component: () => import('../city/LimitsChangePage.vue') },
        { path: 'settings/dispatch', name: 'dispatch', component: () => import('../city/DispatchPage.vue') },
        { path: 'settings/sheets', name: 'sheets', component: () => import('../city/SheetsPage.vue') },
        { path: 'settings/catalogue', name: 'catalogue', component: () => import('../city/CataloguePage.vue') },
        { path: 'approvals', name: 'approvals', component: () => import('../approve/ApplicationsPage.vue') },
        { path: 'approvals/rates', name: 'approval-rates', component: () => import('../approve/RatesPage.vue') },
        { path: 'approvals/:id', name: 'approval', component: () => import('../approve/ApplicationPage.vue'), props: true },
        { path: 'ask', name: 'ask', component: () => import('../ask/AskPage.vue') },
        { path: 'responses', name: 'responses', component: () => import('../emergency/ResponsesPage.vue') },
        { path: 'responses/:id', name: 'response', component: () => import('../emergency/ResponsePage.vue'), props: true },
        { path: 'board', name: 'board', component: () => import('../analyse/BoardPage.vue') },
        { path: 'data', name: 'data-home', redirect: () => offeredGroups('data', useSession())[0]?.entries[0]?.to ?? '/denied' },
        { path: 'data/sources', name: 'sources', component: () => import('../collect/SourcesPage.vue') },
        { path: 'data/sources/:id', name: 'source', component: () => import('../collect/SourcePage.vue'), props: true },
        { path: 'data/quarantine', name: 'quarantine', component: () => import('../collect/QuarantinePage.vue') },
        { path: 'data/quarantine/:id', name: 'quarantine-record', component: () => import('../collect/QuarantineRecordPage.vue'), props: true },
        { path: 'data/mapping', name: 'mapping', component: () => import('../standard/MappingPage.vue') },
        { path: 'data/standard/types', name: 'types', component: () => import('../standard/TypesPage.vue') },
        { path: 'data/standard/types/:id', name: 'type', component: () => import('../standard/TypePage.vue'), props: true },
        { path: 'data/standard/code-lists', name: 'code-lists', component: () => import('../standard/CodeListsPage.vue') },
        { path: 'data/standard/code-lists/:id', name: 'code-list', component: () => import('../standard/CodeListPage.vue'), props: true },
        { path: 'data/standard/units', name: 'units', component: () => import('../standard/UnitsPage.vue') },
        { path: 'data/versions', name: 'versions', component: () => import('../steward/VersionsPage.vue') },
        { path: 'data/versions/new', name: 'change', component: () => import('../steward/ChangePage.vue') },
        { path: 'data/versions/:number', name: 'version', component: () => import('../steward/VersionPage.vue'), props: true },
        { path: 'data/quality', name: 'scores', component: () => import('../quality/ScoresPage.vue') },
        { path: 'data/quality/feeds/:feed', name: 'feed-quality', component: () => import('../quality/FeedQualityPage.vue'), props: true },
        { path: 'data/inspections', name: 'inspections', component: () => import('../quality/InspectionsPage.vue') },
        { path: 'data/inspections/new', name: 'inspection-new', component: () => import('../quality/InspectionNew.vue') },
        { path: 'data/inspections/:id', name: 'inspection', component: () => import('../quality/InspectionPage.vue'), props: true },
        { path: 'data/datasets', name: 'datasets', component: () => import('../steward/DatasetsPage.vue') },
        { path: 'data/datasets/:id', name: 'dataset', component: () => import('../steward/DatasetPage.vue'), props: true },
        { path: 'data/lineage', name: 'lineage', component: () => import('../steward/LineagePage.vue') },
        { path: 'data/grants', name: 'grants', component: () => import('../steward/GrantsPage.vue') },
        { path: 'data/grants/new', name: 'grant-new', component: () => import('../steward/GrantNew.vue') },
        { path: 'data/grants/:id', name: 'grant', component: () => import('../steward/GrantPage.vue'), props: true },
        { path: 'plans', name: 'plans', component: () => import('../linkage/PlansPage.vue') },
        { path: 'plans/:id', name: 'plan', component: () => import('../linkage/PlanPage.vue'), props: true },
        { path: 'plans/:id/edit', name: 'plan-edit', component: () => import('../linkage/PlanEditor.vue'), props: (to) => ({ id: String(to.params.id), name: String(to.query.new ?? '') }) },
        { path: 'runs', name: 'runs', component: () => import('../linkage/RunsPage.vue') },
        { path: 'runs/:id', name: 'run', component: () => import('../linkage/RunPage.vue'), props: true },
        { path: 'tasks', name: 'tasks', component: () => import('../linkage/TasksPage.vue') },
        { path: 'tasks/:id', name: 'task', component: () => import('../linkage/TaskPage.vue'), props: true },
        { path: 'explore', name: 'explore', component: () => import('../analyse/ExplorePage.vue') },
        { path: 'sql', name: 'sql', component: () => import('../analyse/SqlPage.vue') },
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
  if (to.meta.public) {
    if (!city.view) await city.load().catch(() => undefined)
    return true
  }
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
  if (!session.actor || router.currentRoute.value.meta.public) return
  session.session = null
  void router.push({ name: 'sign-in', query: { next: router.currentRoute.value.fullPath, ended: 'true' } })
})
