"""Amounts of money: decimal numbers in a payload, whole minor units in books and at providers; never floats."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from jobdesk import Reject

_TWO = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP "
    "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
    "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN "
    "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
    "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW"
)
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
DECIMALS: Mapping[str, int] = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_NONE.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
    "BTC": 8,
    "LTC": 8,
    "DOGE": 8,
    "XMR": 12,
    "SATS": 0,
}
"""Digits of the minor unit: ISO 4217, and what BTCPay Server takes beside it."""
MOST = 10**15
"""Minor units that the ledger can hold of a sale, and of the sums of many."""


def _known(code: str) -> str:
    if code not in DECIMALS:
        raise ValueError("not a currency: write a code of ISO 4217 such as EUR, or BTC")
    return code


def _text(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


Currency = Annotated[str, BeforeValidator(_text), AfterValidator(_known)]
Amount = Annotated[Decimal, Field(gt=0, lt=10**15, allow_inf_nan=False)]


def minor(amount: Decimal, currency: str) -> int:
    """An amount in minor units.

    Raises:
        Reject: the currency has no such fraction, or the amount is too large.
    """
    digits = DECIMALS[currency]
    scaled = amount.scaleb(digits)
    if scaled != scaled.to_integral_value():
        raise Reject(f"{amount} {currency} cannot be paid: {currency} has {digits} decimal places", "amount")
    if scaled > MOST:
        raise Reject(f"{amount} {currency} is more than can be handled", "amount")
    return int(scaled)


def major(amount: int, currency: str) -> str:
    """Minor units as people, and most providers, write them."""
    digits = DECIMALS[currency]
    return f"{Decimal(amount).scaleb(-digits):.{digits}f}"
