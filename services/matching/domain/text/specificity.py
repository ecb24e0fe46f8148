"""Finds items that are too unspecific to find a partner with."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from services.matching.domain.text.scorer import words_of

#: Words that any company could use (es, en, pt, fr), as `words_of` folds them.
_GENERIC_WORDS: Final = frozenset(
    """
    actividad actividades alta altas ambito amplia amplio anos atividade atividades avanzada avanzadas avanzado
    avanzados best better business businesses calidad client cliente clientes clients collaboration colaboracion
    colaborar commercial comercial comerciales companies company competitive competitivo contact contacto contactos
    contatos cooperacion cooperar cooperation crecer crecimiento customer customers desarrollo desenvolvimento
    development different diferentes distintos diversos empresa empresarial empresas entreprise entreprises equipo
    eficiente eficientes estrategico estrategicos europe excelencia experience experiencia experts expertos global
    good grow growth gran grande grandes high hacer improve ideas industria industrial industriales industry
    innovacion innovador innovadora innovadoras innovadores innovar innovation innovative inovacao inovador inovadores
    integral integrales interesante interesantes inversion inversores lider lideres leader leading local many market
    markets marche mejor mejorar mejores mercado mercados meet mundo muchos negocio negocios negocio networking new
    novos nueva nuevas nuevo nuevos opportunities oportunidad oportunidades oportunidades parceiro parceiros parcerias
    partenaires partner partners partnership partnerships personalizada personalizadas personalizado personalizados
    producto productos product products produits produtos professional profesional profesionales proyecto proyectos
    project projects projeto projetos projets proveedor proveedores quality qualidade qualite relevant sector sectores
    setor setores servicio servicios service services servico servicos socio socios solucion soluciones solution
    solutions solucoes solutions sostenible sostenibles suppliers sustainable sustentaveis synergies sinergias
    tecnologia tecnologias tecnologico tecnologicos technology technologies technological tecnologica tecnologicas team
    todo todos tipo tipos trabajar vanguardia varios various work world
    avenir bem-vindo bienvenidos bienvenue boa bom bonjour bonsoir buenas bueno buenos confiance confianca confianza
    crecemos creemos crescemos crescer day dia dias dream ensemble equipa exito future futuro gracias grupo haz hello
    hey hola ideias juntos merci mundo noite nous obrigado ola pasion passion personas pessoas prueba realidad salut
    saludos
    sonhos succes success suenos tarde tardes test teste thanks together trust tu valor valores votre your
    """.split()  # noqa: SIM905 -- as a list of quoted words nobody could read it
)
_LEAST_WORDS: Final = 2


class SpecificityIssue(StrEnum):
    """Reason why an item is not specific enough."""

    TOO_SHORT = "item_too_short"
    GENERIC = "item_generic"


def specificity_issue(item: str) -> SpecificityIssue | None:
    """Return the issue of an item, if any: too few words, or only words that any company could use."""
    words = words_of(item)
    if words and all(word in _GENERIC_WORDS for word in words):
        return SpecificityIssue.GENERIC
    # Languages written without blanks put a sentence into what counts as one word here.
    return SpecificityIssue.TOO_SHORT if len(words) < _LEAST_WORDS and item.isascii() else None
