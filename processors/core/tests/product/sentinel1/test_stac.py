"""Items of radar products are valid by the schemas, and their parts are items, too."""

import pystac
import swath
from swath.product.catalog import product_item


def test_items_of_products_and_of_their_images_are_valid(slc, grd, offline_validator):
    for product in (slc, grd):
        tree = swath.open_product(product)
        for node in (tree, next(iter(tree.children.values()))):
            made = product_item(node)
            assert pystac.Item.from_dict(made.to_dict()).validate(validator=offline_validator)
            assert made.properties["processing:version"]
