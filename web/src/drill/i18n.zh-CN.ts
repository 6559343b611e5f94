export const zh = {
  drill: {
    title: '演练角色',
    open: '演练',
    note: '演练角色用与人相同的接口办理案件。停用某个角色后，它的工作就留给你：以该岗位登录即可接着办。',
    moves: '已办 {n} 步',
    on: '在办理',
    off: '已停用',
    empty: '没有演练在进行',
    refused: '本岗位不能开关演练角色',
    allOn: '全部启用',
    allOff: '全部停用',
    summary: '{on} / {all} 在办理',
  },
}
