/**
 * Thanks, goodbyes and the small words beside them, by the part (role) that they play in a message.
 * Portuguese, English and Spanish together: people mix them, and a word rarely means the opposite across the
 * border. Written as people write, abbreviations included; they are folded when they are read.
 */
import { phraseList as list } from './phrase-list.ts'

export const courtesyPhrases = {
  /** May stand beside anything. */
  polite: list(`
    por favor, favor, por gentileza, kindly, se faz favor, se possível, pf, pfv, pfvr, please, pls, plz, plis, porfa, porfavor, xfa, xfavor`),

  /** Takes note of what was said before. */
  noted: list(`
    ok, okay, okey, oki, blz, beleza, certo, certinho, perfeito, ótimo, ótima, show, show de bola, legal, entendi, entendido,
    pronto, então, tá, tá bom, tá ok, tá certo, está bem, maravilha, jóia, excelente, top, massa, combinado,
    muito bom, que bom, bom, ah, opa,
    great, perfect, alright, all right, cool, awesome, got it, lovely, brilliant, wonderful, amazing, excellent, fantastic,
    super, nice, understood, noted, sounds good, no worries, k, kk, right, oh, fab,
    listo, vale, dale, perfecto, genial, bueno, buenísimo, bárbaro, de acuerdo, entendido, estupendo, fantástico, súper,
    está bien, ya está, órale, sale, joya, va`),

  /** Says that nothing else is needed. */
  done: list(`
    é só isso, só isso, era só isso, era isso, por hoje é só, é isso, é isso aí, nada mais, deu certo, resolvido, resolveu,
    já resolveu, tudo resolvido, tudo claro, era o que eu precisava, igualmente, você também, funcionou, consegui, já consegui, me ajudou muito, ajudou muito, ajudou bastante, deu tudo certo,
    thats all, that is all, that will be all, thatll be all, thats it, nothing else, all set, im all set, im done, it worked,
    that worked, that helped, that helped a lot, solved, problem solved, sorted, all sorted, thats everything, all clear, thats all i need, thats all i needed, all i needed, thats what i needed,
    likewise, you too, same to you,
    eso es todo, eso era todo, es todo, sería todo, eso sería todo, nada más, solo eso, era eso, resuelto, ya quedó, ya funcionó,
    quedó resuelto, me sirvió mucho, ya pude, todo claro, es lo que necesitaba`),

  /** Says nothing by itself. */
  filler: list(`rs, rsrs, haha, hahaha, kkk, jaja, jajaja, lol, por enquanto, por ahora, for now, x`),

  now: list(`
    agora, agora mesmo, já, imediatamente, now, right now, right away, immediately, then, ahora, ahora mismo, ya, ya mismo`),

  /** Whom it is said to. */
  name: list(`
    amigo, amiga, amigos, pessoal, viu, gente, moça, moço, querida, querido, galera, mate, man, everyone, team, guys, folks, buddy,
    dear, sir, maam, che, señor, señora, señorita, equipo, mano, irmão, bro, parceiro, chefe, cara, jefe, hermano, compañero`),

  /** Opens a message; thanks beside it open one too. */
  greeting: list(`oi, olá, oie, alô, hi, hello, hey, hola, buenas, holi`),

  /** "have a nice day", "que tenga un buen día", and the words of the wish. */
  have: list(`
    tenha, tenham, que tenha, que tenham, have, que tenga, que tengas, que tengan, que pase, que pases, que pasen, que tengás`),
  good: list(`
    bom, boa, bons, ótimo, ótima, excelente, lindo, linda, maravilhoso, good, great, nice, lovely, wonderful, fantastic, amazing,
    blessed, buen, buena, buenas, buenos, excelente, lindo, linda, bonito, bonita, feliz, hermoso, happy`),
  dayPart: list(`
    dia, tarde, noite, semana, fim de semana, fds, final de semana, descanso, trabalho, domingo, sábado, feriado, resto de dia,
    resto do dia, restante de dia,
    day, evening, afternoon, morning, night, weekend, week, one, rest of your day, day ahead,
    día, días, tarde, tardes, noche, noches, fin de semana, finde, resto del día, descanso, jornada`),
  toYou: list(`
    a você, a vocês, a todos, a todas, você, vocês, vc, vcs, pra você, pra vocês, para você, para vocês, pra vc, pra vcs,
    pra você também, para você também, para vocês também, pra vc tb, pra vc também, você também, também, tb, tbm, igualmente,
    to you, to you all, you all, yall, all, you too, to you too, likewise,
    a ti, a vos, a usted, a ustedes, para ti, para usted, para ustedes, para vos, para ti también, para usted también,
    igual para ti, igual para usted, también, a todos`),

  degree: list(`
    muito, muita, muitíssimo, mto, mt, mui, super, demais, mil, de verdade, de coração, mesmo, um monte, imensamente, um milhão,
    so much, very much, kindly, a lot, a million, a bunch, really, so, very, again, once again, many, millions, a ton, loads, sincerely,
    muchas, muchísimas, muxas, mil, millones de, mucho, muchísimo, infinitas, un montón, un millón, de verdad, de nuevo,
    nuevamente, de corazón, realmente, muy, totales`),

  /** Thanks; also what people say in its place. */
  thanks: list(`
    obrigado, obrigada, obg, obgd, obgda, obrigadão, obrigadinho, obrigadinha, obrigados, brigado, brigada, brigadão, brigadinha,
    obrigdo, obrigad, brigadu, brigaduu, gratidão, agradecido, agradecida, agradecidos, grato, grata, valeu, vlw, vlws, valew, vlww,
    eu que agradeço, nós que agradecemos, deus abençoe, deus te abençoe, deus abençoe vocês, deus lhe pague, tmj, tamo junto,
    thanks, thank you, thank u, thank ya, thankyou, thx, thnx, thanx, tnx, thks, tks, tx, ty, tyvm, tysm, cheers, ta very much,
    much appreciated, much obliged, god bless, god bless you, appreciate it, appreciated, youre the best, you are the best,
    youve been very helpful, youve been great, you were very helpful, very helpful,
    gracias, grax, grac, gracia, grcs, muy amable, muy amables, agradecido, agradecida, dios te bendiga,
    que dios te bendiga, dios los bendiga, dios le bendiga`),
  appreciate: list(`
    agradeço, agradecemos, eu agradeço, te agradeço, lhe agradeço, agradeço a vocês,
    i appreciate, i appreciate it, i really appreciate, i really appreciate it, appreciate, we appreciate, really appreciate, i so appreciate,
    agradezco, te agradezco, le agradezco, les agradezco, os agradezco, se agradece, te lo agradezco, se lo agradezco,
    se los agradezco, agradecemos`),
  forWhat: list(`pelo, pela, pelos, pelas, por, x, for`),
  /** What one may thank for; an answer is not among them: thanks for it open what comes next. */
  favour: list(`
    ajuda, ajudinha, atenção, atendimento, paciência, apoio, suporte, tempo, gentileza, carinho, força, tudo, informação, informações,
    explicação, dica, aviso, avisar, esclarecimento, serviço, compreensão, simpatia, disponibilidade, colaboração, cuidado, prontidão, rapidez,
    help, time, support, patience, assistance, attention, everything, all, service, info, information, kindness, effort, advice,
    explanation, understanding, update, reminder, heads up, letting me know, clarification, good service, great service, great help, all you did, helping, helping me, helping out,
    your help today, being so helpful,
    ayuda, atención, paciencia, tiempo, apoyo, todo, soporte, información, servicio, amabilidad, gentileza, explicación, colaboración,
    buena atención, buena onda, ayudarme, avisar, el aviso, aclararme, la aclaración, la buena atención, tanto, rapidez`),
  favourOf: list(`
    a, o, as, os, sua, seu, suas, toda a, toda, todo, tua, teu, vossa, sua grande, a sua, o seu, toda a sua, de vocês, de hoje, rápida, rápido,
    the, your, all, all your, all the, all of your, ur, great, kind, quick, you, of your, today,
    la, el, tu, su, toda la, toda su, toda tu, tus, sus, vuestra, tan buena, de hoy, mucho la, mucho tu, mucho su`),
  bye: list(`
    tchau, tchauzinho, tchau tchau, xau, até logo, até mais, até breve, até amanhã, até depois, até já, até a próxima, até à vista,
    adeus, flw, falou, falows, flws, abraço, abraços, abs, abç, um abraço, grande abraço, beijo, beijos, bjs, bj, bjo, bjos,
    beijinhos, um beijo, fica com deus, fique com deus, fiquem com deus, inté, nos vemos, a gente se vê, a gente se fala, se cuida,
    cuide se, cuidem se,
    bye, bye bye, byebye, bye now, goodbye, good bye, see you, see ya, see u, see you later, see you soon, see you tomorrow,
    see you around, cya, talk to you later, talk later, talk soon, ttyl, take care, enjoy your day, enjoy your weekend, farewell, so long, later, laters, catch you later,
    speak soon, until next time, ta ta, best regards, kind regards, regards,
    adiós, chao, chau, chaito, chaucito, chauchis, hasta luego, hasta pronto, hasta mañana, hasta la próxima, hasta la vista,
    hasta otra, hasta después, nos vemos, nos vemos luego, nos vemos pronto, nos vemos mañana, saludos cordiales,
    nos hablamos, abrazo, abrazos, un abrazo, un saludo, saludos, besos, un beso, besitos,
    cuídate, cuídense, cuidate mucho, bendiciones, que esté bien, que estés bien, que estén bien`),
  /** Between two of these. */
  and: list(`e, y, and`),
} as const
