"""Names, places and numbers of the KIS wire: what client and local KIS share, and all that they share.

The tables are written by `python tools/kis_fields.py`; what each field means is told in KIS's own documents.
Source: KIS API workbook of 2026-06-03, notice of 2026-09-09, and the measurements named in docs/kis.md.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Final, Literal, NamedTuple

Dialect = Literal["real", "paper"]
"""Whose TR ids a server understands."""
MORE: Final = frozenset({"F", "M"})
"""Values of the `tr_cont` header that announce another page; D, E and blank end it."""


class RestTr(NamedTuple):
    """One REST transaction. real, paper: TR ids by variant ("" where there is one); paper is empty where it has none.

    request: parameter names in the documented order, all of them sent. ctx: names of the paging keys in the
    request, (context, next), the same in lower case in the answer; () when the TR has one page. rows: per page,
    at most, (real, paper); 0 where no such limit is known.
    """

    method: Literal["GET", "POST"]
    path: str
    real: Mapping[str, str]
    paper: Mapping[str, str]
    request: tuple[str, ...]
    ctx: tuple[str, ...] = ()
    rows: tuple[int, int] = (0, 0)

    def tr_id(self, dialect: Dialect, variant: str = "") -> str:
        """The id that `dialect` uses; "" when it does not offer the transaction."""
        return (self.real if dialect == "real" else self.paper).get(variant, "")

    def everywhere(self, variant: str = "") -> str:
        """The id of a question about quotes, which is the same on both sides, offered or not; "" for any other."""
        tr_id = self.real.get(variant, "")
        return tr_id if tr_id.startswith("F") else ""


class OrderCode(NamedTuple):
    """One value of ORD_DVSN and where it may be used."""

    name: str
    venues: tuple[str, ...]


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@cache
def position(tr_id: str, name: str) -> int:
    """Index of a field inside one record of a stream TR."""
    return FIELDS[tr_id].index(name)


def width(tr_id: str, day: date) -> int:
    """How many fields a record of a stream TR is expected to have on `day` (KST)."""
    return next(fields for since, fields in reversed(WIDTHS[tr_id]) if since <= day)


# What follows is written by tools/kis_fields.py.

# fmt: off
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "H0STCNT0": _names("""
        MKSC_SHRN_ISCD STCK_CNTG_HOUR STCK_PRPR PRDY_VRSS_SIGN PRDY_VRSS PRDY_CTRT WGHN_AVRG_STCK_PRC STCK_OPRC
        STCK_HGPR STCK_LWPR ASKP1 BIDP1 CNTG_VOL ACML_VOL ACML_TR_PBMN SELN_CNTG_CSNU SHNU_CNTG_CSNU NTBY_CNTG_CSNU
        CTTR SELN_CNTG_SMTN SHNU_CNTG_SMTN CCLD_DVSN SHNU_RATE PRDY_VOL_VRSS_ACML_VOL_RATE OPRC_HOUR
        OPRC_VRSS_PRPR_SIGN OPRC_VRSS_PRPR HGPR_HOUR HGPR_VRSS_PRPR_SIGN HGPR_VRSS_PRPR LWPR_HOUR
        LWPR_VRSS_PRPR_SIGN LWPR_VRSS_PRPR BSOP_DATE NEW_MKOP_CLS_CODE TRHT_YN ASKP_RSQN1 BIDP_RSQN1 TOTAL_ASKP_RSQN
        TOTAL_BIDP_RSQN VOL_TNRT PRDY_SMNS_HOUR_ACML_VOL PRDY_SMNS_HOUR_ACML_VOL_RATE HOUR_CLS_CODE
        MRKT_TRTM_CLS_CODE VI_STND_PRC MARKET_CLS_CODE
    """),
    "H0STASP0": _names("""
        MKSC_SHRN_ISCD BSOP_HOUR HOUR_CLS_CODE ASKP1 ASKP2 ASKP3 ASKP4 ASKP5 ASKP6 ASKP7 ASKP8 ASKP9 ASKP10 BIDP1
        BIDP2 BIDP3 BIDP4 BIDP5 BIDP6 BIDP7 BIDP8 BIDP9 BIDP10 ASKP_RSQN1 ASKP_RSQN2 ASKP_RSQN3 ASKP_RSQN4
        ASKP_RSQN5 ASKP_RSQN6 ASKP_RSQN7 ASKP_RSQN8 ASKP_RSQN9 ASKP_RSQN10 BIDP_RSQN1 BIDP_RSQN2 BIDP_RSQN3
        BIDP_RSQN4 BIDP_RSQN5 BIDP_RSQN6 BIDP_RSQN7 BIDP_RSQN8 BIDP_RSQN9 BIDP_RSQN10 TOTAL_ASKP_RSQN
        TOTAL_BIDP_RSQN OVTM_TOTAL_ASKP_RSQN OVTM_TOTAL_BIDP_RSQN ANTC_CNPR ANTC_CNQN ANTC_VOL ANTC_CNTG_VRSS
        ANTC_CNTG_VRSS_SIGN ANTC_CNTG_PRDY_CTRT ACML_VOL TOTAL_ASKP_RSQN_ICDC TOTAL_BIDP_RSQN_ICDC
        OVTM_TOTAL_ASKP_ICDC OVTM_TOTAL_BIDP_ICDC STCK_DEAL_CLS_CODE MID_PRC MIDP_TOTAL_RSQN MIDP_CLS_CODE
        MARKET_CLS_CODE
    """),
    "H0STCNI0": _names("""
        CUST_ID ACNT_NO ODER_NO OODER_NO SELN_BYOV_CLS RCTF_CLS ODER_KIND ODER_COND STCK_SHRN_ISCD CNTG_QTY
        CNTG_UNPR STCK_CNTG_HOUR RFUS_YN CNTG_YN ACPT_YN BRNC_NO ODER_QTY ACNT_NAME ORD_COND_PRC ORD_EXG_GB POPUP_YN
        FILLER CRDT_CLS CRDT_LOAN_DATE CNTG_ISNM40 ODER_PRC
    """),
    "H0STCNI9": _names("""
        CUST_ID ACNT_NO ODER_NO OODER_NO SELN_BYOV_CLS RCTF_CLS ODER_KIND ODER_COND STCK_SHRN_ISCD CNTG_QTY
        CNTG_UNPR STCK_CNTG_HOUR RFUS_YN CNTG_YN ACPT_YN BRNC_NO ODER_QTY ACNT_NAME ORD_COND_PRC ORD_EXG_GB POPUP_YN
        FILLER CRDT_CLS CRDT_LOAN_DATE CNTG_ISNM40 ODER_PRC
    """),
    "H0STCNI9_LEGACY23": _names("""
        CUST_ID ACNT_NO ODER_NO OODER_NO SELN_BYOV_CLS RCTF_CLS ODER_KIND ODER_COND STCK_SHRN_ISCD CNTG_QTY
        CNTG_UNPR STCK_CNTG_HOUR RFUS_YN CNTG_YN ACPT_YN BRNC_NO ODER_QTY ACNT_NAME EXG_GB_AND_POPUP CRDT_CLS
        CRDT_LOAN_DATE CNTG_ISNM40 ODER_PRC
    """),
    "H0STMKO0": _names("""
        MKSC_SHRN_ISCD TRHT_YN TR_SUSP_REAS_CNTT MKOP_CLS_CODE ANTC_MKOP_CLS_CODE MRKT_TRTM_CLS_CODE
        DIVI_APP_CLS_CODE ISCD_STAT_CLS_CODE VI_CLS_CODE OVTM_VI_CLS_CODE EXCH_CLS_CODE
    """),
}
"""Fields of one record of a stream TR, in order."""
PAPER_STREAMS: Final = frozenset({"H0STCNT0", "H0STASP0", "H0STCNI9"})
ENCRYPTED: Final = frozenset({"H0STCNI0", "H0STCNI9"})
WIDTHS: Final[Mapping[str, tuple[tuple[date, int], ...]]] = {
    "H0STCNT0": ((date.min, 46), (date(2026, 9, 14), 47)),
    "H0STASP0": ((date.min, 59), (date(2026, 6, 29), 62), (date(2026, 9, 14), 63)),
    "H0STCNI0": ((date.min, 23), (date(2025, 3, 1), 26)),
    "H0STCNI9": ((date.min, 23),),
    "H0STMKO0": ((date.min, 11),),
}
"""Width of a record and the first day on which it was seen, oldest first."""
REST: Final[Mapping[str, RestTr]] = {
    "order-cash": RestTr(
        "POST", "/uapi/domestic-stock/v1/trading/order-cash",
        {"buy": "TTTC0012U", "sell": "TTTC0011U"}, {"buy": "VTTC0012U", "sell": "VTTC0011U"},
        _names("""
            CANO ACNT_PRDT_CD PDNO SLL_TYPE ORD_DVSN ORD_QTY ORD_UNPR CNDT_PRIC EXCG_ID_DVSN_CD
        """),
    ),
    "order-rvsecncl": RestTr(
        "POST", "/uapi/domestic-stock/v1/trading/order-rvsecncl",
        {"": "TTTC0013U"}, {"": "VTTC0013U"},
        _names("""
            CANO ACNT_PRDT_CD KRX_FWDG_ORD_ORGNO ORGN_ODNO ORD_DVSN RVSE_CNCL_DVSN_CD ORD_QTY ORD_UNPR QTY_ALL_ORD_YN
            CNDT_PRIC EXCG_ID_DVSN_CD
        """),
    ),
    "inquire-psbl-rvsecncl": RestTr(
        "GET", "/uapi/domestic-stock/v1/trading/inquire-psbl-rvsecncl",
        {"": "TTTC0084R"}, {},
        _names("""
            CANO ACNT_PRDT_CD CTX_AREA_FK100 CTX_AREA_NK100 INQR_DVSN_1 INQR_DVSN_2
        """),
        ctx=("CTX_AREA_FK100", "CTX_AREA_NK100"),
        rows=(50, 0),
    ),
    "inquire-daily-ccld": RestTr(
        "GET", "/uapi/domestic-stock/v1/trading/inquire-daily-ccld",
        {"within_3_months": "TTTC0081R", "older": "CTSC9215R"}, {"within_3_months": "VTTC0081R", "older": "VTSC9215R"},
        _names("""
            CANO ACNT_PRDT_CD INQR_STRT_DT INQR_END_DT SLL_BUY_DVSN_CD PDNO ORD_GNO_BRNO ODNO CCLD_DVSN INQR_DVSN
            INQR_DVSN_1 INQR_DVSN_3 EXCG_ID_DVSN_CD CTX_AREA_FK100 CTX_AREA_NK100
        """),
        ctx=("CTX_AREA_FK100", "CTX_AREA_NK100"),
        rows=(100, 15),
    ),
    "inquire-balance": RestTr(
        "GET", "/uapi/domestic-stock/v1/trading/inquire-balance",
        {"": "TTTC8434R"}, {"": "VTTC8434R"},
        _names("""
            CANO ACNT_PRDT_CD AFHR_FLPR_YN OFL_YN INQR_DVSN UNPR_DVSN FUND_STTL_ICLD_YN FNCG_AMT_AUTO_RDPT_YN PRCS_DVSN
            CTX_AREA_FK100 CTX_AREA_NK100
        """),
        ctx=("CTX_AREA_FK100", "CTX_AREA_NK100"),
        rows=(50, 20),
    ),
    "inquire-psbl-order": RestTr(
        "GET", "/uapi/domestic-stock/v1/trading/inquire-psbl-order",
        {"": "TTTC8908R"}, {"": "VTTC8908R"},
        _names("""
            CANO ACNT_PRDT_CD PDNO ORD_UNPR ORD_DVSN CMA_EVLU_AMT_ICLD_YN OVRS_ICLD_YN
        """),
    ),
    "inquire-psbl-sell": RestTr(
        "GET", "/uapi/domestic-stock/v1/trading/inquire-psbl-sell",
        {"": "TTTC8408R"}, {},
        _names("""
            CANO ACNT_PRDT_CD PDNO
        """),
    ),
    "inquire-price": RestTr(
        "GET", "/uapi/domestic-stock/v1/quotations/inquire-price",
        {"": "FHKST01010100"}, {"": "FHKST01010100"},
        _names("""
            FID_COND_MRKT_DIV_CODE FID_INPUT_ISCD
        """),
    ),
    "inquire-asking-price-exp-ccn": RestTr(
        "GET", "/uapi/domestic-stock/v1/quotations/inquire-asking-price-exp-ccn",
        {"": "FHKST01010200"}, {"": "FHKST01010200"},
        _names("""
            FID_COND_MRKT_DIV_CODE FID_INPUT_ISCD
        """),
    ),
    "inquire-time-itemchartprice": RestTr(
        "GET", "/uapi/domestic-stock/v1/quotations/inquire-time-itemchartprice",
        {"": "FHKST03010200"}, {"": "FHKST03010200"},
        _names("""
            FID_COND_MRKT_DIV_CODE FID_INPUT_ISCD FID_INPUT_HOUR_1 FID_PW_DATA_INCU_YN FID_ETC_CLS_CODE
        """),
        rows=(30, 30),
    ),
    "inquire-time-dailychartprice": RestTr(
        "GET", "/uapi/domestic-stock/v1/quotations/inquire-time-dailychartprice",
        {"": "FHKST03010230"}, {},
        _names("""
            FID_COND_MRKT_DIV_CODE FID_INPUT_ISCD FID_INPUT_HOUR_1 FID_INPUT_DATE_1 FID_PW_DATA_INCU_YN
            FID_FAKE_TICK_INCU_YN
        """),
        rows=(120, 0),
    ),
    "inquire-daily-itemchartprice": RestTr(
        "GET", "/uapi/domestic-stock/v1/quotations/inquire-daily-itemchartprice",
        {"": "FHKST03010100"}, {"": "FHKST03010100"},
        _names("""
            FID_COND_MRKT_DIV_CODE FID_INPUT_ISCD FID_INPUT_DATE_1 FID_INPUT_DATE_2 FID_PERIOD_DIV_CODE FID_ORG_ADJ_PRC
        """),
        rows=(100, 100),
    ),
    "inquire-ccnl": RestTr(
        "GET", "/uapi/domestic-stock/v1/quotations/inquire-ccnl",
        {"": "FHKST01010300"}, {"": "FHKST01010300"},
        _names("""
            FID_COND_MRKT_DIV_CODE FID_INPUT_ISCD
        """),
        rows=(30, 30),
    ),
    "inquire-time-itemconclusion": RestTr(
        "GET", "/uapi/domestic-stock/v1/quotations/inquire-time-itemconclusion",
        {"": "FHPST01060000"}, {"": "FHPST01060000"},
        _names("""
            FID_COND_MRKT_DIV_CODE FID_INPUT_ISCD FID_INPUT_HOUR_1
        """),
        rows=(30, 30),
    ),
    "chk-holiday": RestTr(
        "GET", "/uapi/domestic-stock/v1/quotations/chk-holiday",
        {"": "CTCA0903R"}, {},
        _names("""
            BASS_DT CTX_AREA_NK CTX_AREA_FK
        """),
        ctx=("CTX_AREA_FK", "CTX_AREA_NK"),
    ),
    "inquire-vi-status": RestTr(
        "GET", "/uapi/domestic-stock/v1/quotations/inquire-vi-status",
        {"": "FHPST01390000"}, {},
        _names("""
            FID_DIV_CLS_CODE FID_COND_SCR_DIV_CODE FID_MRKT_CLS_CODE FID_INPUT_ISCD FID_RANK_SORT_CLS_CODE
            FID_INPUT_DATE_1 FID_TRGT_CLS_CODE FID_TRGT_EXLS_CLS_CODE
        """),
    ),
    "search-stock-info": RestTr(
        "GET", "/uapi/domestic-stock/v1/quotations/search-stock-info",
        {"": "CTPF1002R"}, {},
        _names("""
            PRDT_TYPE_CD PDNO
        """),
    ),
}
"""REST transactions by the last part of their path."""
ORDER_CODES: Final[Mapping[str, OrderCode]] = {
    "00": OrderCode("limit", ("KRX", "NXT", "SOR")),
    "01": OrderCode("market", ("KRX", "SOR")),
    "02": OrderCode("conditional limit (turns market in the closing auction)", ("KRX",)),
    "03": OrderCode("best (opposite best price at arrival)", ("KRX", "NXT", "SOR")),
    "04": OrderCode("first priority (own-side best price)", ("KRX", "NXT", "SOR")),
    "05": OrderCode("pre-open off-hours at previous close", ("KRX",)),
    "06": OrderCode("post-close off-hours at close", ("KRX",)),
    "07": OrderCode("off-hours single price", ("KRX",)),
    "11": OrderCode("limit IOC", ("KRX", "NXT", "SOR")),
    "12": OrderCode("limit FOK", ("KRX", "NXT", "SOR")),
    "13": OrderCode("market IOC", ("KRX", "NXT", "SOR")),
    "14": OrderCode("market FOK", ("KRX", "NXT", "SOR")),
    "15": OrderCode("best IOC", ("KRX", "NXT", "SOR")),
    "16": OrderCode("best FOK", ("KRX", "NXT", "SOR")),
    "21": OrderCode("mid price", ("KRX", "NXT")),
    "22": OrderCode("stop limit (needs CNDT_PRIC)", ("KRX", "NXT")),
    "23": OrderCode("mid price IOC", ("KRX", "NXT")),
    "24": OrderCode("mid price FOK", ("KRX", "NXT")),
    "27": OrderCode("GTP limit, NXT pre-market only", ("NXT",)),
    "28": OrderCode("GTP best, NXT pre-market only", ("NXT",)),
    "29": OrderCode("GTP first priority, NXT pre-market only", ("NXT",)),
    "41": OrderCode("KRX after-market limit", ("KRX",)),
    "42": OrderCode("KRX after-market limit IOC", ("KRX",)),
    "43": OrderCode("KRX after-market limit FOK", ("KRX",)),
    "44": OrderCode("KRX after-market best", ("KRX",)),
    "45": OrderCode("KRX after-market best IOC", ("KRX",)),
    "46": OrderCode("KRX after-market best FOK", ("KRX",)),
    "47": OrderCode("KRX after-market first priority", ("KRX",)),
}
"""Values of ORD_DVSN."""
# fmt: on
