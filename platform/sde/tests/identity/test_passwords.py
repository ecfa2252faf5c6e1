"""First passwords fit the policy and differ."""

import string

import pytest
from swath_sde.configuration import PasswordPolicy
from swath_sde.identity import new_password


@pytest.mark.parametrize("length", [8, 14, 64])
def test_a_first_password_is_long_and_of_all_kinds(length):
    for _ in range(50):
        password = new_password(PasswordPolicy(length=length))
        assert len(password) == max(20, length)
        for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits):
            assert set(password) & set(kind)


def test_first_passwords_differ():
    assert len({new_password(PasswordPolicy()) for _ in range(200)}) == 200
