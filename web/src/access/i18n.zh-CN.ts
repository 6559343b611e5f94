export const zh = {
  signIn: {
    citizen: '市民无需登录：',
    title: '登录',
    account: '账号',
    password: '密码',
    submit: '登录',
    takePost: '演示：选一个岗位进入',
    takePostNote: '演示城市不需要密码。部门由演练角色扮演，可随时停用，由你来处置。',
    wrong: '无法登录',
    ended: '会话已结束，请重新登录；之后回到刚才的页面。',
    lead: '从监测到预警、从预警到案件、从处置到评价，一个闭环。',
    loading: '正在读取城市信息',
  },
  actor: { menu: '当前岗位', signOut: '退出登录' },
}
