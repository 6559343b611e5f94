// Sets theme and language before the first paint, so that neither flashes.
;(function () {
  var root = document.documentElement
  var theme = null
  var language = null
  try {
    theme = localStorage.getItem('cityloop.theme')
    language = localStorage.getItem('cityloop.language')
  } catch (error) {
    /* storage is switched off: the defaults hold */
  }
  if (theme !== 'dark' && theme !== 'light') {
    theme = window.matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark'
  }
  root.dataset.theme = theme
  root.classList.toggle('dark', theme === 'dark')
  root.lang = language === 'en' ? 'en' : 'zh-CN'
})()
