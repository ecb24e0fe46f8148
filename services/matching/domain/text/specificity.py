"""Finds items that are too unspecific to find a partner with."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from services.matching.domain.text.scorer import words_of

#: Words that any company could use, in greetings and slogans too (es, en, pt, fr, de, it), as `words_of` folds them.
GENERIC_WORDS: Final = frozenset(
    """
    actividad actividades alta altas ambito amplia amplio anos atividade atividades aujourd avala avalan avanzada
    avanzadas avanzado avanzados avenir bem bem-vindo best better bienvenidos bienvenue big boa bom bonjour bonsoir
    buenas bueno buenos buongiorno business businesses calidad ciao client cliente clientes clients colaboracion
    colaborar collaboration comercial comerciales commercial commitment committed companies company competitive
    competitivo comprometidas comprometidos compromiso compromisso confianca confiance confianza conocer contact
    contactar contacto contactos contatos cooperacion cooperar cooperation crecemos crecer crecimiento creemos
    crescemos crescer customer customers day depuis desarrollo desde desenvolvimento development dia dias diferentes
    different distintos diversos dream eficiente eficientes empresa empresarial empresas ensemble entreprise
    entreprises equipa equipo especialista especialistas estamos estrategico estrategicos europe excelencia excellence
    excellent exito experience experiencia expertos experts extra familia familiale familiar familiares family fazemos
    fiable fiducia future futuro gente global good gracias gran grande grandes grow growth grupo guten hacemos hacer
    hallo happen haz hello hey high hoje hola hoy ideas ideias improve industria industrial industriales industry
    innovacion innovador innovadora innovadoras innovadores innovar innovation innovative inovacao inovador inovadores
    integral integrales interesante interesantes internacionais internacional internacionales international inversion
    inversores ipsum jeden juntos leader leading lider lideres local lorem make many marche market markets medida meet
    mejor mejorar mejores mercado mercados merci mile mission muchos mundo negocio negocios networking new nice noite
    nossos nous novos nuestros nueva nuevas nuevo nuevos obrigado ola oportunidad oportunidades opportunities parceiro
    parceiros parcerias partenaires partenariat partner partners partnership partnerships pasion passion passione
    people personalizada personalizadas personalizado personalizados personas pessoas product producto productos
    products produits produtos profesional profesionales professional project projects projeto projetos projets
    proveedor proveedores provider proyecto proyectos prueba qualidade qualita qualitat qualite quality que quienes
    realidad relevant reliable saludos salut salve sector sectores sempre service services servicio servicios servico
    servicos setor setores siempre since sinergias socio socios solucion soluciones solucoes solution solutions somos
    sonhos sostenible sostenibles specialist specialists succes success suenos suppliers sustainable sustentaveis
    synergies tag tal tarde tardes team technological technologies technology tecnologia tecnologias tecnologica
    tecnologicas tecnologico tecnologicos test teste thanks thing think tipo tipos todo todos together toujours
    trabajar trust trusted tu tudo tutti valor valores vanguardia varios various vertrauen vision vocacao vocacion
    vocation votre work world your zuverlassig zuverlassige zuverlassiger
    """.split()  # noqa: SIM905 -- as a list of quoted words nobody could read it
)
_LEAST_WORDS: Final = 2


class SpecificityIssue(StrEnum):
    """Reason why an item is not specific enough."""

    TOO_SHORT = "item_too_short"
    GENERIC = "item_generic"


def specificity_issue(item: str) -> SpecificityIssue | None:
    """Return the issue of an item, if any: too few words, or only words that any company could use, as "empresa"."""
    words = words_of(item)
    if (words or item.isascii()) and all(word in GENERIC_WORDS for word in words):
        return SpecificityIssue.GENERIC
    # Languages written without blanks put a sentence into what counts as one word here.
    return SpecificityIssue.TOO_SHORT if len(words) < _LEAST_WORDS and item.isascii() else None
