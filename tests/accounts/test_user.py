import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from dispersed_web.accounts.models import User, validate_time_zone

pytestmark = pytest.mark.django_db


def test_an_address_belongs_to_one_person_whatever_the_case():
    User.objects.create_user("Ana@Example.org", "secret-secret-secret")
    assert User.objects.get_by_natural_key("aNA@example.ORG").email == "ana@example.org"
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(email="ANA@example.org")])


def test_without_a_password_nobody_signs_in():
    user = User.objects.create_user("ana@example.org")
    assert not user.has_usable_password()


@pytest.mark.parametrize("name", ["Mars/Base", "", "../etc/passwd", "europe/berlin "])
def test_time_zones_are_known_ones(name):
    with pytest.raises(ValidationError):
        validate_time_zone(name)


def test_a_person_is_called_by_name_or_address():
    assert str(User(email="a@example.org")) == "a@example.org"
    assert str(User(email="a@example.org", name="Ana")) == "Ana"
