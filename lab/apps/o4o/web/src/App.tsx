/** The frame around both views. The second view is a chunk of its own, asked for only when it is opened. */
import { lazy, Suspense, useEffect, useState } from 'react'
import { Items } from './Items'
import mark from './mark.png'
import { preferredLanguage, words, type Language } from './words'

const About = lazy(() => import('./About'))

export function App() {
  const [language, setLanguage] = useState<Language>(preferredLanguage)
  const said = words[language]
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  return (
    <>
      <header>
        <img src={mark} width={48} height={48} alt="" />
        <h1>O4O</h1>
        <nav>
          <a href="/">{said.home}</a>
          <a href="/about">{said.about}</a>
          <button type="button" onClick={() => setLanguage(language === 'ko' ? 'en' : 'ko')}>
            {said.other}
          </button>
        </nav>
      </header>
      <main>
        {location.pathname === '/about' ? (
          <Suspense fallback={<p>…</p>}>
            <About words={said} />
          </Suspense>
        ) : (
          <Items words={said} language={language} />
        )}
      </main>
    </>
  )
}
