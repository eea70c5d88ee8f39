"""Why payments are declined, and whether trying again later can help.

Codes of Stripe: https://docs.stripe.com/declines/codes, and those that its own retries leave alone:
https://docs.stripe.com/billing/revenue-recovery/smart-retries#non-retryable-decline-codes. Reasons of YooKassa:
https://yookassa.ru/developers/payment-acceptance/after-the-payment/declined-payments. What a person must do first (new
data, a confirmation, a call) is not tried again by itself. A code that is not listed counts as a decline without a
reason, as both recommend: it is tried again, within the limits.
"""

from collections.abc import Mapping

STRIPE: Mapping[str, bool] = {
    **dict.fromkeys(
        (
            "approve_with_id", "call_issuer", "card_declined", "card_velocity_exceeded", "do_not_honor",
            "duplicate_transaction", "generic_decline", "insufficient_funds", "issuer_not_available", "no_action_taken",
            "processing_error", "reenter_transaction", "try_again_later", "withdrawal_count_limit_exceeded",
        ),
        True,
    ),
    **dict.fromkeys(
        (
            "authentication_not_handled", "authentication_required", "card_not_supported", "currency_not_supported",
            "do_not_try_again", "expired_card", "fraudulent", "highest_risk_level", "incorrect_address",
            "incorrect_cvc", "incorrect_number", "incorrect_pin", "incorrect_zip", "invalid_account", "invalid_amount",
            "invalid_cvc", "invalid_expiry_month", "invalid_expiry_year", "invalid_number", "invalid_pin",
            "live_mode_test_card", "lost_card", "merchant_blacklist", "mobile_device_authentication_required",
            "new_account_information_available", "not_permitted", "offline_pin_required",
            "online_or_offline_pin_required",
            "pickup_card", "pin_try_exceeded", "restricted_card", "revocation_of_all_authorizations",
            "revocation_of_authorization", "security_violation", "service_not_allowed", "stolen_card",
            "stop_payment_order", "test_mode_decline", "testmode_decline", "transaction_not_allowed",
            "canceled", "payment_intent_authentication_failure", "payment_method_provider_decline",
        ),
        False,
    ),
}  # fmt: skip
STRIPE_ADVICE: Mapping[str, bool] = {"try_again_later": True, "do_not_try_again": False, "confirm_card_data": False}
"""What the network advises goes before the code."""

YOOKASSA: Mapping[str, bool] = {
    **dict.fromkeys(
        (
            "general_decline", "insufficient_funds", "internal_timeout", "issuer_unavailable",
            "payment_method_limit_exceeded",
        ),
        True,
    ),
    **dict.fromkeys(
        (
            "3d_secure_failed", "call_issuer", "canceled_by_merchant", "card_expired", "country_forbidden",
            "deal_expired", "expired_on_capture", "expired_on_confirmation", "fraud_suspected",
            "identification_required", "invalid_card_number", "invalid_csc", "payment_method_restricted",
            "permission_revoked", "unsupported_mobile_operator",
        ),
        False,
    ),
}  # fmt: skip

CRYPTO: Mapping[str, bool] = {"expired": True, "paid_late": False, "paid_partial": False, "invalid": False}
"""An invoice that nobody paid may follow another; where money came that is not settled, a person must look."""


def is_retryable(codes: Mapping[str, bool], code: str) -> bool:
    """Whether to try again after a decline with this code."""
    return codes.get(code, True)
