/**
 * What people say to close, to reach a person and to opt out, by the part (role) that it plays in a message;
 * how the parts are put together says `closing-grammar.ts`. Written as people write; folded when read.
 */
import { phraseList as list } from './phrase-list.ts'

export const requestPhrases = {
  // ── Wishes ──

  /** A wish of the user's own; what follows it is what they want. */
  wish: list(`
    quero, eu quero, queria, eu queria, qro, desejo, eu desejo, gostaria, gostaria de, eu gostaria, eu gostaria de, gostava de, pretendo, vamos, bora, podemos,
    autorizo, tenho interesse em, tenho mais interesse em, deixa eu, me deixa, deixe me,
    i want, i want to, want, want to, i wanna, wanna, id like, id like to, i would like, i would like to, i wish to, wish to,
    interested in, we can, lets, let us, let me,
    quiero, yo quiero, kiero, quisiera, querría, quería, deseo, me gustaría, me quiero, me interesa, autorizo, podemos, déjame, déjeme`),
  /** One of two things: "não prefiro sms" chooses between them, and opts out of nothing. */
  prefer: list(
    `prefiro, eu prefiro, i prefer, id prefer, prefer, prefer to, id rather, i would rather, prefiero, preferiría`,
  ),
  /** A wish put to us. */
  ask: list(`
    pode, podes, poderia, poderias, podem, poderiam, você pode, vc pode, vcs podem, vocês podem, você poderia, já pode,
    me pode, consegue,
    can you, could you, would you, will you, you can, you could, you may, can u, could u, u can, can you guys, would you mind,
    puedes, puede, podés, podrías, podría, pueden, podrían, me puede, me puedes, me podés, me podrías, me podría, me pueden,
    ya puedes, ya puede, ya podés`),
  /** What has to be or is to be: "vou sair" may be on the way to the bus. */
  plan: list(`
    preciso, preciso de, eu preciso, eu preciso de, precisava, precisava de, vou, necessito, tenho que, tenho de,
    i need, i need to, need, need to, im going to, ill, i have to, gonna, im gonna,
    necesito, yo necesito, voy a, tengo que, preciso, ocupo`),
  /** Asks whether it may be. */
  may: list(`
    posso, eu posso, consigo, poderia, tem como, dá pra, dá para, é possível, teria como, tem como eu,
    can i, could i, may i, can i please, is it possible to, any chance i can, can we, can i have, could i have, may i have,
    puedo, podría, se puede, es posible, será posible, puedo yo`),
  just: list(`só, apenas, simplesmente, just, only, go ahead and, go ahead, solo, solamente, nomás`),
  that: list(`que, q, you to, that you`),
  i: list(`eu, i, im, i am, yo, nós, we, were`),
  the: list(`
    o, a, os, as, um, uma, algum, alguma, the, an, a, any, some, el, la, los, las, un, una, unos, unas, algún, alguna, otro, otra,
    outro, outra, another`),
  these: list(`
    este, esta, esse, essa, isso, estas, essas, estes, esses, this, that, these, those, your, our, all, all of, all these, all your,
    suas, seus, sus, tus, todas, todos, todas as, todos os, todos los, todas las, estos, esos, esas, nossa, nosso, nuestra, nuestro,
    tantas, tantos, so many, tanta`),
  my: list(`meu, minha, my, mi`),
  of: list(`
    de, do, da, dos, das, deste, desta, desse, dessa, destas, dessas, destes, desses, nesse, nesta, nessa, neste, com, com as, com os,
    com a, com essas, com estas,
    of, from, out of, with, del, con, con los, con las, con el`),
  here: list(`
    aqui, por aqui, aí, daqui, de aqui, de aquí, here, right here, there, aquí, acá, por aquí, por acá, ahí`),

  // ── Closing ──

  /** Closes, also as a wish: "quero sair". */
  close: list(`
    sair, encerrar, encerra, encerre, encerrem, fim, sair fora,
    exit,
    salir, salirme, salgo, fin`),
  /** Closes alone or with the conversation named, but not as a wish: "quero finalizar" what? */
  closeAlone: list(`
    finalizar, finaliza, finalize, terminar, termina, termine, quit, end, finalice, finalizá`),
  /** Closes only with the conversation named: "close the chat". */
  closeWhat: list(`
    fechar, fecha, feche, fechem, concluir, conclua, concluam, parar, pare, acabar, acaba, acabe, acabar com, terminem, finalizem, desligar,
    desliga, deixar, fim, fim de,
    close, leave, finish, stop, terminate, wrap up, end, closing, shut, shut down, end of,
    cerrar, cierra, cierre, cerrá, cierren, dejar, concluir, concluye, terminá, terminame, cerrame, ciérrame, ciérreme, finalicen,
    terminen, acabar, acaba, acabá, abandonar, concluya, terminemos, cerremos, finalicemos, encerremos, finalizemos, fin, fin de, cortar`),
  /** Closes alone or with the chat named; in a clinic one cancels a session. */
  cancel: list(`cancelar, cancel, cancela, cancele, cancelá`),
  cancelAlone: list(`cancelar, cancel`),
  /** This very conversation, as the thing to be closed. */
  conversation: list(`
    atendimento, conversa, chat, papo, bate papo, batepapo, chat, conversation, convo, convers, conversación, conversacion, charla,
    plática, diálogo, chatting`),
  session: list(`sessão, session, sesión, atención, live chat, live session`),

  // ── A person ──

  talk: list(`
    falar, flr, fala, falo, fale, conversar, tratar,
    talk, speak, chat, talking, speaking,
    hablar, ablar, hablo, conversar, platicar, charlar, chatear, comunicarme, contactarme`),
  /** Asks to be served by: "ser atendido por", "que me atienda". */
  served: list(`
    ser atendido por, ser atendida por, atendimento por, atendimento de, atendimento com, ajuda de, que me atenda,
    be helped by, help from, support from, assistance from,
    ser atendido por, ser atendida por, que me atienda, que me atiendan, que me ayude, que me hable, ayuda de, atención de`),
  /** Orders to be passed on: "me passa pra". */
  pass: list(`
    passa, passe, passar, passem, me passa, me passe, me passar, me passem, transfere, transfira, transferir, transferem, me transfere,
    me transfira, me transferir, me transfiram, transferir me, encaminha, encaminhar, me encaminha, me encaminhe, me encaminhar,
    me conecta, me conecte, me conectar, me coloca, me coloque, me põe, me bota, me manda, me direciona, me direcione,
    me direcionar, chama, chame, chamar, chamem, me chama, me chame, me arruma, arruma,
    transfer, transfer me, connect, connect me, put me through, put me on, put me in touch, pass me, pass me on, pass me over,
    hand me over, hand me off, get, get me, give me, send me, switch me, route me, direct me, forward me, escalate me, escalate,
    escalate this, transfer this, transfer this chat, transfer the chat, reach, contact, bring me, find me,
    pasa, pase, pasar, pásame, páseme, pasame, pasarme, pásenme, transfiere, transfiera, transferir, transferí, transfiéreme,
    transfiérame, transferime, transferirme, comunica, comunícame, comuníqueme, comunicame, comuníquenme, comunicar, me comunica,
    me comunicas, me comunican, me pasa, me pasas, me pasan, me transfiere, me transfieres, me conecta, conéctame, conécteme,
    conectarme, conectame, ponme, póngame, poneme, derívame, deríveme, derivame, derivarme, dame, deme, contactar`),
  to: list(`
    com, c, cm, para, pra, pro, p, ao, à, por, to, with, w, on to, onto, over to, through to, to speak to, to speak with, to talk to,
    con, al, a, para hablar con, pra falar com, para falar com, speak to, talk to, in touch with`),
  /** Asks for a person by itself. */
  person: list(`
    atendente, humano, humana, atendimento humano, suporte humano, ajuda humana, contato humano,
    agent, human, representative, human being, live agent, live person, live chat agent, live support, human support, human help,
    human assistance, operator,
    agente, asesor, asesora, operador, operadora, representante, atención humana, ayuda humana, soporte humano, ejecutivo, ejecutiva`),
  /** Asks for a person when it is wished for, or a real one. */
  somebody: list(`
    pessoa, gerente, supervisor, supervisora, operador, operadora, representante, assistente, consultor, consultora, assessor, assessora,
    funcionário, funcionária, responsável, colaborador, colaboradora, atendentes, ser humano, gente, humanos, vendedor, vendedora,
    alguém, encarregado,
    person, people, someone, somebody, manager, supervisor, rep, advisor, adviser, assistant, staff member, member of staff, employee,
    team member, member of your team, specialist, humans, being, agents, customer service rep, customer service agent,
    customer service representative, support agent, support rep, support person, service agent, service rep, support representative,
    persona, alguien, encargado, encargada, gerente, supervisor, supervisora, consultor, consultora, empleado, empleada, asistente,
    responsable, vendedor, vendedora, ser humano, personas, humanos, asesores, agentes`),
  /** Asks for a person when one is to be talked to. */
  team: list(`
    equipe, time, suporte, central, atendimento, atendimento ao cliente, sac, suporte técnico, técnico, técnica, especialista,
    anyone, anybody, support, customer service, customer support, customer care, your team, support team, team, staff, tech support,
    anyone else, someone else, somebody else,
    soporte, equipo, atención al cliente, servicio al cliente, soporte técnico, especialista`),
  /** "uma pessoa de verdade", "a member of your team". */
  real: list(`
    real, reais, humano, humana, de verdade, verdadeiro, verdadeira, de carne e osso, da equipe, do time, da empresa, do suporte,
    da loja, da central, de vocês, mesmo, que não seja robô, que não seja um robô, disponível, do atendimento,
    i can talk to, i can speak to, i can speak with, com quem eu possa falar, con quien pueda hablar,
    actual, human, live, genuine, proper, from support, from your team, from the team, on your team, on the team, in support,
    from customer service, available, living, breathing, who is not a bot, customer service, support, customer support,
    reales, de verdad, verdadero, verdadera, de carne y hueso, del equipo, de la empresa, de soporte, de atención al cliente,
    de la tienda, que no sea un robot, que no sea un bot, que no sea robot, disponible, en vivo, de ustedes, vivo, viva`),
  isThere: list(`
    tem, há, is there, are there, hay`),
  bot: list(`
    robô, robôs, robozinho, bot, bots, máquina, máquinas, chatbot, inteligência artificial, ia, assistente virtual, sistema automático,
    robot, robots, machine, machines, computer, ai, automated system, automated assistant, virtual assistant, recording,
    robotito, asistente virtual, máquina automática, inteligencia artificial, contestadora`),
  insteadOf:
    list(`em vez de, ao invés de, instead of, rather than, en vez de, en lugar de, e não, y no, and not, não, no, not, sem, sin, chega de,
    basta de, no more, stop the, cansei de, enough with`),
  but: list(`mas, e sim, but, pero, sino, e, y, and, só, solo, just, mas sim`),

  // ── Opting out ──

  negation: list(`
    não, nao, n, num, já não, nunca, nunca mais, no, dont, do not, not, no longer, never, never again, does not, ya no, nunca más, jamás`),
  /** Opts out by itself. */
  stop: list(`
    stop, stopall, stop all, parar, pare, parem, parar tudo, paren, baja, remove me, me deixa em paz, me deixe em paz,
    me deixem em paz, leave me alone, lose my number, déjame en paz, déjeme en paz, déjenme en paz, dejame en paz, dejenme en paz`),
  /** Opts out by itself, also as a wish. */
  unsubscribe: list(`
    unsubscribe, unsubscribe me, optout, opt out, opt me out, be unsubscribed, be opted out, opting out, im opting out,
    i opt out, i unsubscribe,
    descadastrar, descadastra, descadastre, me descadastre, descadastre me, descadastrar me, me descadastrar, me descadastra,
    me descadastrem, desinscrever, desinscreva, me desinscrever, me desinscreva, desinscrever me, desinscreva me, descadastro,
    desuscribir, desuscribirme, desuscríbeme, desuscríbame, desuscribime, desuscribanme, desubscribir, desubscribirme, desinscribirme,
    desinscribir, me desuscribo`),
  /** Opts out with the messages named: from a gym's contract, too, one is "dado de baja". */
  leave: list(`
    dar de baja, darme de baja, dame de baja, deme de baja, denme de baja, darse de baja, me den de baja, me dé de baja, de baja, baja,
    dar baixa, cancelar minha inscrição, cancelar a inscrição, cancelar inscrição, cancelar a assinatura, cancelar assinatura, sair,
    cancelar la suscripción, cancelar suscripción, cancelar mi suscripción, salir, salirme, baixa, stop my subscription,
    cancel my subscription, end my subscription, opt out`),
  /** Takes a gerund: "stop texting me". */
  stopDoing: list(`stop, quit, cease, discontinue, halt`),
  /** Takes "de" or "com": "pare de mandar", "paren con los mensajes". */
  stopOf: list(`
    parar, para, pare, parem, pára, pares, deixar, deixa, deixe, deixem, deixes, cessar, cessem,
    dejar, deja, deje, dejen, dejá, dejes, parar, pará, paren, párenla, ya paren, ya dejen, ya deja, ya deje, cesar, cesen, cese,
    terminen, acaben, basta, chega`),
  /** Takes what is to stop: "parar mensagens". */
  stopThing: list(`
    parar, pare, parem, cancelar, cancela, cancele, cancelem, suspender, suspenda, suspendam, interromper, interrompa, interrompam,
    cessar,
    stop, cancel, end, quit, cease, halt, discontinue, suspend, unsubscribe from, opt out of,
    detener, detengan, detenga, paren, cancelen, suspendan`),
  /** "cancelar o envio de mensagens". */
  flowOf: list(`
    o envio de, o envio das, envio de, o recebimento de, o recebimento das, recebimento de, a entrega de,
    sending, the sending of, receiving, el envío de, envío de, la recepción de, recepción de, los envíos de, el envío de los`),
  toStop: list(`to stop, to end, stopped`),
  enough: list(`
    basta de, chega de, já chega de, no more, no más, no further, enough, enough of, enough with, basta con, ya basta de,
    ya no más, no mais`),
  /** In whatever form it follows the verb. */
  send: list(`
    mandar, mandando, me mandar, me mandando, me manda, me mande, me mandem, mande, mandem, mandar me, manda, me enviar, me enviando,
    enviar, enviando, envie, enviem, me envie, me enviem, me envia, envia, enviar me,
    send, sending, send me, sending me, send us,
    mandarme, mandarnos, me manden, me mande, me mandes, manden, me envíen, me envíe, me envíes, envíen, enviarme, enviarnos,
    enviándome, mandándome, me lleguen, me sigan mandando, me sigan enviando, sigan mandando, sigan enviando, continuem mandando,
    continuem enviando, continue mandando, continue enviando, me continuem mandando, keep sending me, keep sending, fique mandando,
    fiquem mandando, ficar mandando, fica mandando, ficar me mandando, fiquem me mandando, me estén mandando, estar mandando`),
  /** Sends without saying what. */
  write: list(`
    me escrever, me escreva, me escrevam, me escreve, escrever me, entrar em contato, entrem em contato, entre em contato,
    entrar em contato comigo, entrem em contato comigo, entre em contato comigo, me contatar, me contatem, me contate, me mandar zap,
    me contactar, me contacte, me contactem, me contactes, me incomodar, me incomodem, me incomode, me perturbar, me perturbem, me encher,
    me enche, me encham, encher o saco,
    text me, texting me, message me, messaging me, contact me, contacting me, texting, messaging, sms me, write me, write to me,
    writing me, writing to me, spamming me, spam me, spamming, texting my phone, texting this number, text this number,
    contact this number, messaging this number, message this number, contacting this number, reach out, reaching out,
    reach out to me, reaching out to me, keep texting me, keep messaging me, keep contacting me, bothering me, bother me, harassing me, harass me,
    escribirme, escribanme, me escriban, me escriba, me escribas, contactarme, me contacten, me contacte, me contactes, spamear,
    spamearme, me spameen, textearme, me texteen, mensajearme, me sigan escribiendo, me sigan contactando, molestarme, me molesten, molesten, molestar, me moleste, me molestes`),
  receive: list(`
    receber, de receber, recebendo, recebe, continuar recebendo, continuar a receber, seguir recebendo, ficar recebendo, ser contatado,
    receive, receiving, get, getting, to receive, to get, be receiving, be getting, keep getting, keep receiving, to be receiving,
    recibir, recibiendo, recibo, seguir recibiendo, continuar recibiendo, que me lleguen, estar recibiendo`),
  contacted: list(`
    be contacted, to be contacted, be texted, to be texted, be messaged, hear from you, to hear from you, ser contatado,
    ser contatada, ser contactado, ser contactada, saber de vocês, saber de ustedes`),
  messages: list(`
    mensagens, msgs, mensagens de texto, notificações, mensagens de propaganda, mensagens promocionais, mensagens de whatsapp,
    mensagens de marketing, mensagens no whatsapp, mensagens por whatsapp, whatsapps, zaps, sms, spam,
    messages, texts, text messages, notifications, marketing messages, promotional messages, marketing texts, promotional texts,
    spam messages, spam texts, txts, sms messages, automated messages, automated texts,
    mensajes, mensajes de texto, mensajitos, notificaciones, mensajes de publicidad, mensajes promocionales, mensajes de whatsapp,
    mensajes de marketing, mjes, msjs`),
  /** They may be goods, too: "no quiero ofertas". */
  ads: list(`
    propaganda, propagandas, publicidade, promoções, ofertas, anúncios, marketing,
    ads, promotions, promos, offers, advertising, publicidad, promociones, anuncios`),
  /** One: it is opted out of only as what is sent. */
  message: list(
    `mensagem, msg, msn, message, text, txt, text message, mensaje, msj, mje, zap, whatsapp, mensagem de texto`,
  ),
  more: list(`
    mais, nunca mais, de novo, outra vez, nenhuma, nenhum, nada de, mas, jamais,
    more, any more, anymore, any, again, ever, ever again, another, further, no more, any further, any longer,
    más, nunca más, ningún, ninguno, de nuevo, otra vez, otro`),
  fromYou: list(`
    de vocês, de vcs, de vc, de você, da empresa, dessa empresa, da loja, suas, por aqui, neste número, nesse número, neste numero,
    para este número, pra este número, pra esse número, pra esse numero, no meu número, no whatsapp, no meu whatsapp, por whatsapp,
    pelo whatsapp, por sms, no meu celular, no celular, pro meu celular, aqui, pra mim, para mim, no zap,
    from you, from you guys, from you people, from your company, from this number, from this company, to this number,
    on this number, to my phone, on my phone, on whatsapp, by sms, via sms, by text, via text, here, to me, at this number,
    through whatsapp, via whatsapp, from here,
    de ustedes, de uds, de usted, de su parte, suyos, de esta empresa, de este número, a este número, en este número, a mi número,
    a mi celular, a mi teléfono, en mi celular, en mi teléfono, en whatsapp, por este medio, a mi whatsapp, de su empresa, tuyos,
    de parte de ustedes, por acá, por aquí`),
  remove: list(`
    me tira, me tire, me tirem, tira, tire, tirem, tirar, me remova, me remove, me remover, remova, remover, me removam, removam,
    me exclua, me excluam, excluir, exclua, me excluir, me apaga, me retire, me retirem, retirar, retirem, remova me, sair, quero sair,
    quero ser removido, ser removido, ser removida, tirar me, retire me, tira meu número, tire meu número, tirem meu número,
    remova meu número, remover meu número, tirar meu número, exclua meu número, retirem meu número, apaguem meu número,
    remove me, remove, take me, delete me, get me, be removed, to be removed, be taken off,
    remove my number, take my number, delete my number, remove this number, take this number, unsubscribe me,
    remove my contact,
    sácame, sáqueme, sáquenme, sacame, sacarme, bórrame, bórreme, bórrenme, borrame, borrarme, elimíname, elimíneme, elimínenme,
    eliminame, eliminarme, quítame, quíteme, quítenme, quitame, quitarme, me saquen, me borren, me quiten, me eliminen, salir, salirme,
    saquen mi número, borren mi número, quiten mi número, quitar mi número, eliminen mi número, saca mi número, borra mi número, elimina mi número,
    dar de baja mi número, eliminar mi número, borrar mi número`),
  /** Not any list: one waits for a table on one. */
  sendingList: list(`
    da sua lista, das suas listas, da lista de vocês, da lista de vcs, dessa lista, desta lista, da lista de contatos,
    da sua lista de contatos, da lista de transmissão, da lista de mensagens, da lista de envio, dos seus contatos,
    da sua lista de transmissão, de sua lista, da lista de marketing, da lista de sms,
    from your list, off your list, from this list, off this list, from your lists, from your mailing list,
    off your mailing list, from the mailing list, from your contact list, off your contact list,
    from your contacts, from your texting list, from your sms list, from your text list, off the mailing list,
    de su lista, de sus listas, de tu lista, de esta lista, de esa lista, de la lista de contactos, de su lista de contactos,
    de la lista de difusión, de su lista de difusión, de la lista de mensajes, de la lista de envíos, de sus contactos, de sus envíos`),

  /** Opts in again. */
  start: list(`start, unstop`),
} as const
