"""Currencies that people trade in: ISO 4217, active codes, without metals and test codes.

`DECIMALS`: places of the minor unit that money is counted in. Amounts are kept as whole minor
units of their own currency: fen, but whole yen and thousandths of a dinar.
"""

from decimal import Decimal

_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT
LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR
NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF
XPF YER ZAR ZMW ZWG
"""
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
DECIMALS: dict[str, int] = {
    **dict.fromkeys(_CODES.split(), 2),
    **dict.fromkeys(_NONE.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
}
CURRENCIES = frozenset(DECIMALS)


def is_known(code: str) -> bool:
    return code in DECIMALS


def digits(code: str) -> int:
    """Places after the point; two where the currency is not known."""
    return DECIMALS.get(code, 2)


def minor_of_one(code: str) -> int:
    """Minor units in one unit of the currency: 100 fen, 1 yen."""
    return int(10 ** digits(code))


def major(minor: int, code: str) -> Decimal:
    """Minor units in units of the currency, with all its places: 120000 fen are 1200.00 yuan."""
    return Decimal(minor).scaleb(-digits(code))
