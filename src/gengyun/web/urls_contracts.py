"""Paths of a customer's contracts, lines, invoices and payments; below the customer's own."""

from django.urls import path

from gengyun.web.views import billing, contract_forms, contracts, line_verbs

customer_patterns = [
    path("contracts/", contracts.contracts, name="customer_contracts"),
    path("contracts/new/", contract_forms.contract_new, name="contract_new"),
    path("contracts/<int:contract>/edit/", contract_forms.contract_edit, name="contract_edit"),
    path("contracts/<int:contract>/lines/new/", contract_forms.line_new, name="line_new"),
    path("lines/<int:line>/", contracts.line, name="line"),
    path("lines/<int:line>/<slug:verb>/", line_verbs.line_verb, name="line_verb"),
    path("movements/", contracts.movements, name="customer_movements"),
    path("arr.json", contracts.arr_data, name="customer_arr_data"),
    path("invoices/", contracts.invoices, name="customer_invoices"),
    path("invoices/new/", billing.invoice_new, name="invoice_new"),
    path("invoices/<int:invoice>/", billing.invoice, name="invoice"),
    path("payments/new/", billing.payment_new, name="payment_new"),
]
