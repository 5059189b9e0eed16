"""The cloud's region codes with names that people know, by continent. The codes are coarse areas, not exact places."""

from __future__ import annotations

_PLACES = {
    "North America": {
        "us-east-1": "Virginia",
        "us-east-2": "Ohio",
        "us-west-1": "California",
        "us-west-2": "Oregon",
        "ca-central-1": "Canada, Montreal",
        "ca-west-1": "Canada, Calgary",
        "mx-central-1": "Mexico",
    },
    "Europe": {
        "eu-central-1": "Germany, Frankfurt",
        "eu-central-2": "Switzerland, Zurich",
        "eu-north-1": "Sweden, Stockholm",
        "eu-south-1": "Italy, Milan",
        "eu-south-2": "Spain",
        "eu-west-1": "Ireland",
        "eu-west-2": "United Kingdom, London",
        "eu-west-3": "France, Paris",
    },
    "Asia and Pacific": {
        "ap-east-1": "Hong Kong",
        "ap-east-2": "Taiwan, Taipei",
        "ap-northeast-1": "Japan, Tokyo",
        "ap-northeast-2": "South Korea, Seoul",
        "ap-northeast-3": "Japan, Osaka",
        "ap-south-1": "India, Mumbai",
        "ap-south-2": "India, Hyderabad",
        "ap-southeast-1": "Singapore",
        "ap-southeast-2": "Australia, Sydney",
        "ap-southeast-3": "Indonesia, Jakarta",
        "ap-southeast-4": "Australia, Melbourne",
        "ap-southeast-5": "Malaysia",
        "ap-southeast-6": "New Zealand",
        "ap-southeast-7": "Thailand",
        "cn-north-1": "China, Beijing",
        "cn-northwest-1": "China, Ningxia",
    },
    "South America, Africa, Middle East": {
        "sa-east-1": "Brazil, São Paulo",
        "af-south-1": "South Africa, Cape Town",
        "il-central-1": "Israel, Tel Aviv",
        "me-central-1": "United Arab Emirates",
        "me-south-1": "Bahrain",
    },
}
NAMES = {code: name for places in _PLACES.values() for code, name in places.items()}
CHOICES = [
    (continent, [(code, f"{name} ({code})") for code, name in places.items()])
    for continent, places in _PLACES.items()
]


def name(code: str) -> str:
    """The place, or the code itself where the cloud names a region that we do not know."""
    return NAMES.get(code, code)
