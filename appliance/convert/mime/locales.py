"""Language tags (RFC 5646) and the locale ids of MS-LCID, for Content-Language and PidTagMessageLocaleId."""

from collections.abc import Mapping

_TEXT = (
    "ar-sa 1025 bg-bg 1026 ca-es 1027 zh-tw 1028 cs-cz 1029 da-dk 1030 de-de 1031 el-gr 1032 en-us 1033 "
    "fi-fi 1035 fr-fr 1036 he-il 1037 hu-hu 1038 is-is 1039 it-it 1040 ja-jp 1041 ko-kr 1042 nl-nl 1043 "
    "nb-no 1044 pl-pl 1045 pt-br 1046 rm-ch 1047 ro-ro 1048 ru-ru 1049 hr-hr 1050 sk-sk 1051 sq-al 1052 "
    "sv-se 1053 th-th 1054 tr-tr 1055 ur-pk 1056 id-id 1057 uk-ua 1058 be-by 1059 sl-si 1060 et-ee 1061 "
    "lv-lv 1062 lt-lt 1063 fa-ir 1065 vi-vn 1066 hy-am 1067 eu-es 1069 mk-mk 1071 af-za 1078 ka-ge 1079 "
    "fo-fo 1080 hi-in 1081 mt-mt 1082 ms-my 1086 kk-kz 1087 sw-ke 1089 uz-latn-uz 1091 tt-ru 1092 bn-in 1093 "
    "pa-in 1094 gu-in 1095 ta-in 1097 te-in 1098 kn-in 1099 ml-in 1100 mr-in 1102 mn-mn 1104 cy-gb 1106 "
    "gl-es 1110 ar-iq 2049 zh-cn 2052 de-ch 2055 en-gb 2057 es-mx 2058 fr-be 2060 it-ch 2064 nl-be 2067 "
    "nn-no 2068 pt-pt 2070 sr-latn-cs 2074 sv-fi 2077 ga-ie 2108 ar-eg 3073 zh-hk 3076 de-at 3079 en-au 3081 "
    "es-es 3082 fr-ca 3084 sr-cyrl-cs 3098 ar-ly 4097 zh-sg 4100 de-lu 4103 en-ca 4105 es-gt 4106 fr-ch 4108 "
    "ar-dz 5121 zh-mo 5124 de-li 5127 en-nz 5129 es-cr 5130 fr-lu 5132 ar-ma 6145 en-ie 6153 es-pa 6154 "
    "fr-mc 6156 ar-tn 7169 en-za 7177 es-do 7178 es-ve 8202 es-co 9226 es-pe 10250 es-ar 11274 es-ec 12298 "
    "es-cl 13322 es-uy 14346 es-py 15370 es-bo 16394 en-in 16393 en-sg 18441 sr-latn-rs 9242 sr-cyrl-rs 10266"
)
_PAIRS = _TEXT.split()
_TAGS: Mapping[int, str] = {int(number): tag for tag, number in zip(_PAIRS[::2], _PAIRS[1::2], strict=True)}
_NEUTRAL = {tag.split("-")[0]: number for number, tag in sorted(_TAGS.items(), reverse=True)}
_CHOICES = {"zh": 2052, "zh-hans": 2052, "zh-hant": 1028, "no": 1044, "es": 3082, "pt": 2070, "sr": 9242}

LOCALES: Mapping[str, int] = {**_NEUTRAL, **{tag: number for number, tag in _TAGS.items()}, **_CHOICES}
"""Lower-case language tag to LCID; a language alone has its main country's."""


def tag_of(lcid: int) -> str | None:
    """The language tag of a locale id as it is written, None when it is not known."""
    tag = _TAGS.get(lcid & 0xFFFF)
    if tag is None:
        return None
    first, *rest = tag.split("-")
    return "-".join([first, *(part.upper() if len(part) == 2 else part.title() for part in rest)])
